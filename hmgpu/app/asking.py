"""Ask for a customer or an article: by search, at random, or by the address."""

from random import Random
from typing import get_args

import streamlit as st

from hmgpu.app.lookups.articles import any_article, find_articles
from hmgpu.app.lookups.customers import Among, any_customer, find_customers
from hmgpu.app.lookups.opened import OpenRun

CUSTOMER, ARTICLE = "customer", "article"  # in the address, and in the state of a session
FIRST = Random(7)  # who is shown before anybody is asked for


def asked_customer(opened: OpenRun) -> str | None:
    """Draw the search for a customer, and return the id of the one to show."""
    if CUSTOMER not in st.session_state:
        first = any_customer(opened, "a hit", FIRST) or any_customer(opened, "anybody", FIRST)
        st.session_state[CUSTOMER] = st.query_params.get(CUSTOMER) or first
    search, among, button = st.columns([5, 3, 2], vertical_alignment="bottom")
    text = search.text_input("Customer", key="customer search", placeholder="an id, or how it begins")
    of = among.selectbox("Random among those with", get_args(Among), key="customer among")
    if button.button("Random", key="random customer", width="stretch"):
        st.session_state[CUSTOMER] = any_customer(opened, of, Random()) or st.session_state[CUSTOMER]
    elif text and text != st.session_state.get("customer searched"):
        found = find_customers(opened, text)
        if not found:
            st.warning(f"No customer's id begins with {text.strip()}.")
            return None
        st.session_state[CUSTOMER] = found[0]
        if len(found) > 1:
            picked = st.selectbox(f"Ids that begin with {text.strip()}", found, key=f"customers like {text}")
            st.session_state[CUSTOMER] = picked
    st.query_params[CUSTOMER] = st.session_state[CUSTOMER]
    return str(st.session_state[CUSTOMER])


def asked_article(opened: OpenRun) -> str | None:
    """Draw the search for an article, and return the id of the one to show."""
    if ARTICLE not in st.session_state:
        st.session_state[ARTICLE] = st.query_params.get(ARTICLE) or any_article(opened, FIRST)
    search, button = st.columns([8, 2], vertical_alignment="bottom")
    text = search.text_input("Article", key="article search", placeholder="an id, or words of its name")
    if button.button("Random", key="random article", width="stretch"):
        st.session_state[ARTICLE] = any_article(opened, Random())
    elif text:
        found = dict(find_articles(opened, text))
        if not found:
            st.warning(f"No article's id begins with {text.strip()}, and no name has it in it.")
            return None
        named = {each: f"{name} · {each}" for each, name in found.items()}
        picked = st.selectbox(
            f"Articles like {text.strip()}", named, format_func=named.__getitem__, key=f"articles like {text}"
        )
        st.session_state[ARTICLE] = picked
    st.query_params[ARTICLE] = st.session_state[ARTICLE]
    return str(st.session_state[ARTICLE])
