"""An article: what it is, how it sells, who buys it, what is like it and what is bought with it."""

import streamlit as st
from markupsafe import Markup

from hmgpu.app.asking import asked_article
from hmgpu.app.frame import draw, shelf
from hmgpu.app.lookups.articles import SoldArticle, article_of, neighbours
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.html.blocks import Facts, Grid


def show(opened: OpenRun) -> None:
    """Draw the page."""
    article_id = asked_article(opened)
    found = article_of(opened, article_id) if article_id else None
    if found is None:
        if article_id:
            st.warning(f"The data set has no article {article_id}.")
        return
    _head(found)
    draw(found.weekly, found.ages, found.channels)
    near = neighbours(opened, found.item.article_id)
    for space, row in near.items():
        draw(shelf(f"Similar by {space}", row, "The largest cosines among the articles that may be proposed."))
    if not near:
        st.caption("No vectors of this article: retrievers such as als, taste and two_tower learn some from its sales.")
    draw(shelf("Bought on the same day by the same customers", found.together))


def _head(found: SoldArticle) -> None:
    st.html(Markup("<h2>{}</h2>").format(found.item.name))  # a name is no Markdown
    left, right = st.columns([1, 3])
    if found.item.picture:
        left.image(found.item.picture, width=220)
    else:
        left.html(f'<div style="height:6rem;max-width:220px;border-radius:6px;background:{found.item.colour}"></div>')
    with right:
        price = {"last price": found.item.price} if found.item.price else {}
        draw(Facts({**found.facts, **price}))
        rows = [["article", found.item.article_id], *map(list, found.attributes.items())]
        draw(Grid("", ["attribute", "value"], rows, numbers=False))
        if found.description:
            st.text(found.description)
