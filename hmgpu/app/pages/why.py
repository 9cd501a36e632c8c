"""Why a list is as it is: who proposed each article, at which rank, and what the ranker made of it."""

from collections.abc import Mapping, Sequence
from typing import get_args

import streamlit as st

from hmgpu.app.asking import shown_customer
from hmgpu.app.frame import draw
from hmgpu.app.lookups.funnel import Funnel, When, funnel
from hmgpu.app.lookups.items import Item, items
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.html.blocks import Bars, Grid, count
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.marks import Badge, Cell

SHOWN = 40  # candidates
PARTS = 12  # whose contributions are shown


def show(opened: OpenRun) -> None:
    """Draw the page."""
    customer = shown_customer(opened)
    if customer is None:
        return
    options, key = get_args(When), "why when"
    when: When = st.segmented_control("The list for the", options, default="next week", key=key) or "next week"
    listed, bought = customer.recommended, None
    if when == "held-out week":
        if customer.held_out is None:
            st.caption("They bought nothing in the held-out week, so no list was made for it: look at the next week.")
            return
        listed, bought = customer.held_out.listed, {each.article for each in customer.held_out.bought}
    places = {each.article: each.rank or 0 for each in listed}
    found = funnel(opened, customer.customer, when, places)
    draw(_funnel(found, places, bought))
    draw(Bars("Proposed by", [(name, n, count(n)) for name, n in found.counts.items()]))
    _contributions(found, listed)
    draw(_candidates(opened, found, places, bought))


def _contributions(found: Funnel, listed: Sequence[Item]) -> None:
    """Draw what each part of the config adds to the score of one article of the list."""
    if not any(found.of(each.article).contributions for each in listed):
        return
    named = {f"{each.rank}. {each.name}, {each.about}": each for each in listed}
    chosen = found.of(named[st.selectbox("What speaks for", list(named), key="why article")].article)
    st.text(chosen.sentence)
    for stage, parts in chosen.contributions.items():
        strongest = sorted(parts.items(), key=lambda each: -abs(each[1]))[:PARTS]
        of = "" if len(chosen.contributions) == 1 else f" by the stage `{stage}`"
        title = f"What the parts add to its score{of}, the strongest {len(strongest)}"
        draw(Dots(title, [(part, value, None) for part, value in strongest], lambda value: f"{value:+.3f}"))


def _funnel(found: Funnel, places: Mapping[int, int], bought: set[int] | None) -> Bars:
    steps = {
        "proposed by any retriever": len(found.candidates),
        "scored by the ranker": sum(each.place is not None for each in found.candidates.values()),
        "on the list": len(places),
    }
    if bought is not None:
        steps["bought in the week, of those proposed"] = len(bought & found.candidates.keys())
        steps["bought in the week, of those on the list"] = len(bought & places.keys())
    return Bars("From candidates to the list", [(name, n, count(n)) for name, n in steps.items()])


def _candidates(opened: OpenRun, found: Funnel, places: Mapping[int, int], bought: set[int] | None) -> Grid:
    """Return a table: all of the list, and then the candidates that came nearest to it."""
    first = [*places, *(article for article in found.candidates if article not in places)][:SHOWN]
    known = items(opened, first)
    rows = [_row(known[article], found, places, bought) for article in first]
    headings = [
        "article",
        "on the list",
        "by the ranker",
        *(["bought"] if bought is not None else []),
        *found.retrievers,
    ]
    return Grid("The list, then what came nearest to it; the ranks that retrievers gave", headings, rows)


def _row(item: Item, found: Funnel, places: Mapping[int, int], bought: set[int] | None) -> list[Cell]:
    candidate = found.of(item.article)
    hit: list[Cell] = [] if bought is None else [Badge("bought", "good") if item.article in bought else ""]
    ranks = [str(candidate.ranks.get(name, "")) for name in found.retrievers]
    return [f"{item.name}, {item.about}", str(places.get(item.article, "")), str(candidate.place or "–"), *hit, *ranks]
