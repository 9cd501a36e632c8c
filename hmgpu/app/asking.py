"""Ask for a customer or an article: by search, at random, or by the address."""

from collections.abc import Callable, Sequence
from random import Random
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hmgpu.app.lookups.articles import any_article, find_articles
from hmgpu.app.lookups.customers import Among, Customer, any_customer, customer_of, find_customers
from hmgpu.app.lookups.opened import OpenRun

CUSTOMER, ARTICLE = "customer", "article"  # in the address, and in the state of a session
SEED = 7  # of who is shown before anybody is asked for


def shown_customer(opened: OpenRun) -> Customer | None:
    """Draw the search for a customer and their id, and return them; None, and a sentence, for an unknown one."""
    customer_id = asked_customer(opened)
    customer = customer_of(opened, customer_id) if customer_id else None
    if customer is not None:
        st.markdown(f"Customer `{customer_id}`")
    elif customer_id:
        st.warning(f"The run doesn't know the customer {customer_id}; whom it doesn't know gets its best sellers.")
    return customer


def asked_customer(opened: OpenRun) -> str | None:
    """Draw the search for a customer, and return the id of the one to show."""
    if CUSTOMER not in st.session_state:
        chance = Random(SEED)
        first = any_customer(opened, "a hit", chance) or any_customer(opened, "anybody", chance)
        st.session_state[CUSTOMER] = st.query_params.get(CUSTOMER) or first
    search, among, button = st.columns([5, 3, 2], vertical_alignment="bottom")
    _search(
        search, CUSTOMER, "an id, or how it begins", lambda text: [(id_, id_) for id_ in find_customers(opened, text)]
    )
    of = among.selectbox("Random among those with", get_args(Among), key="customer among")
    _random(button, CUSTOMER, lambda: any_customer(opened, of, Random()))
    return _found(CUSTOMER, "No customer's id begins with {}.")


def asked_article(opened: OpenRun) -> str | None:
    """Draw the search for an article, and return the id of the one to show."""
    if ARTICLE not in st.session_state:
        st.session_state[ARTICLE] = st.query_params.get(ARTICLE) or any_article(opened, Random(SEED))
    search, button = st.columns([8, 2], vertical_alignment="bottom")
    _search(search, ARTICLE, "an id, or words of its name", lambda text: find_articles(opened, text))
    _random(button, ARTICLE, lambda: any_article(opened, Random()))
    return _found(ARTICLE, "No article's id begins with {}, and no name has it in it.")


def _search(place: DeltaGenerator, of: str, how: str, find: Callable[[str], Sequence[tuple[str, str]]]) -> None:
    """Draw the field to search in; what is found, (id, text), stays until the next search."""

    def searched() -> None:
        text = st.session_state[f"{of} search"].strip()
        st.session_state[f"{of} found"] = found = dict(find(text)) if text else None
        if found:
            st.session_state[of] = next(iter(found))

    place.text_input(of.capitalize(), key=f"{of} search", placeholder=how, on_change=searched)


def _random(place: DeltaGenerator, of: str, choose: Callable[[], str | None]) -> None:
    """Draw the button that chooses one at random, which ends a search."""

    def chosen() -> None:
        st.session_state[of] = choose() or st.session_state[of]
        st.session_state[f"{of} search"], st.session_state[f"{of} found"] = "", None

    place.button("Random", key=f"{of} random", width="stretch", on_click=chosen)


def _found(of: str, nothing: str) -> str | None:
    """Draw the choice among several that were found, and return the chosen id; None, and a sentence, if none was."""
    found, text = st.session_state.get(f"{of} found"), st.session_state[f"{of} search"].strip()
    if found is not None and not found:
        st.warning(nothing.format(text))
        return None
    if found and len(found) > 1:
        named = {id_: said if said == id_ else f"{said} · {id_}" for id_, said in found.items()}
        label = f"{len(found)} that are like {text}"
        st.session_state[of] = st.selectbox(label, list(named), format_func=named.__getitem__, key=f"{of} like {text}")
    st.query_params[of] = st.session_state[of]
    return str(st.session_state[of])
