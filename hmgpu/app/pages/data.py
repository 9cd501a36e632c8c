"""The data set: sales, customers, best and worst sellers, seasons and prices."""

from collections.abc import Callable

import streamlit as st

from hmgpu.app.frame import draw
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.html.blocks import Section
from hmgpu.data.explore.articles import articles
from hmgpu.data.explore.buyers import buyers
from hmgpu.data.explore.lifetimes import lifetimes
from hmgpu.data.explore.prices import prices
from hmgpu.data.explore.repurchases import repurchases
from hmgpu.data.explore.sales import sales
from hmgpu.data.explore.seasons import seasons
from hmgpu.data.explore.whole import Whole
from hmgpu.data.weeks import date_of

SECTIONS: dict[str, Callable[[Whole], Section]] = {
    "Sales": sales,
    "Customers": buyers,
    "Repurchases": repurchases,
    "Best and worst sellers": articles,
    "Lifetimes": lifetimes,
    "Seasons": seasons,
    "Prices": prices,
}


def show(opened: OpenRun) -> None:
    """Draw the page."""
    store = opened.store
    st.caption(
        f"All of the data in {store.root}, from {date_of(store.manifest.first_day)} to {date_of(store.last_day)}. "
        "Models see less: each learns from the days before its own cutoff."
    )
    chosen = st.segmented_control("About", list(SECTIONS), default="Sales", key="data about") or "Sales"
    section = counted_section(chosen, opened.store.digest, opened.whole)
    if not section.blocks:
        st.info(f"The data have nothing about {chosen.lower()}.")
        return
    st.write(section.lead)
    draw(*section.blocks)


@st.cache_resource(max_entries=32, show_spinner="Counting …")
def counted_section(name: str, digest: str, _whole: Whole) -> Section:
    """Return a section of the exploration, counted once for each state of the data set."""
    return SECTIONS[name](_whole)
