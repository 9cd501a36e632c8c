"""A customer: what they bought, what they are recommended and why, and what they bought in the held-out week."""

from collections.abc import Sequence

import streamlit as st

from hmgpu.app.asking import shown_customer
from hmgpu.app.frame import draw, shelf, shelves
from hmgpu.app.lookups.customers import Customer
from hmgpu.app.lookups.funnel import When, funnel
from hmgpu.app.lookups.items import Item
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.errors import HmgpuError
from hmgpu.core.html.blocks import Facts
from hmgpu.core.words import counted


def show(opened: OpenRun) -> None:
    """Draw the page."""
    customer = shown_customer(opened)
    if customer is None:
        return
    draw(Facts({"bought": counted(customer.units, "unit"), **customer.profile}))
    _recommended(opened, customer)
    _held_out(opened, customer)
    about = (
        f"The last {counted(len(customer.bought), 'purchase')}, the latest first."
        if customer.bought
        else "Nothing so far."
    )
    draw(shelf("Bought before", customer.bought, about))


def _recommended(opened: OpenRun, customer: Customer) -> None:
    about = f"For the week from {opened.next_week}, each with what speaks for it."
    listed, problem = _with_reasons(opened, customer, customer.recommended, "next week")
    draw(shelf("Recommended", listed, about))
    if problem:
        st.caption(f"Why is not known: {problem}")


def _held_out(opened: OpenRun, customer: Customer) -> None:
    week = customer.held_out
    if week is None:
        known = "in the week that was held out" if opened.held_out else "in a held-out week: the run was not evaluated"
        st.caption(f"No purchases are known of them {known}.")
        return
    listed, _ = _with_reasons(opened, customer, week.listed, "held-out week")
    hits = sum(each.hit for each in week.bought)
    about = (
        f"The week from {week.week}, which the ranker had not seen: {counted(hits, 'hit')}, average precision "
        f"{week.average_precision:.3f}. What was recommended and bought is framed."
    )
    draw(shelves("The held-out week", [("Bought", week.bought), ("Recommended for it", listed)], about))


def _with_reasons(
    opened: OpenRun, customer: Customer, listed: Sequence[Item], when: When
) -> tuple[Sequence[Item], str]:
    """Return the list with who proposed each article, and why that is not known."""
    try:
        with st.spinner("Asking the run why …"):
            found = funnel(opened, customer.customer, when, (each.article for each in listed))
    except HmgpuError as error:
        return listed, str(error)
    return [each.on(each.rank, found.of(each.article).sentence, each.hit) for each in listed], ""
