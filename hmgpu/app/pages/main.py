"""The app that Streamlit runs: the choice of a page and of a run, and the page. `hmgpu app` starts it.

It lies among the pages because Streamlit takes a folder `pages` next to its script for pages of its own making.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from hmgpu.app.frame import asked_for, chosen_run, finished_runs, open_run
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.app.pages import article, compare, customer, data, season, why
from hmgpu.core.errors import HmgpuError

OF_A_RUN: dict[str, Callable[[OpenRun], None]] = {
    "Customer": customer.show,
    "Article": article.show,
    "Why": why.show,
    "Compare": lambda opened: compare.show(opened, _others(opened)),
    "Data": data.show,
}
SEASON = "Season"
STYLE = "<style>.stMainBlockContainer { padding-top: 3rem; } h1 { font-size: 2rem !important; }</style>"


def main() -> None:
    """Draw the page that is asked for."""
    st.set_page_config(page_title="hmgpu", page_icon=_icon(), layout="wide")
    st.html(STYLE)
    titles = [*OF_A_RUN, SEASON]
    page = st.navigation([st.Page(_draw(title), title=title, url_path=title.lower()) for title in titles])
    page.run()


def _icon() -> Image.Image:
    """Draw the icon here: Streamlit would fetch its own from elsewhere."""
    icon = Image.new("RGB", (64, 64), "#2563be")
    ImageDraw.Draw(icon).text((14, -4), "h", "#ffffff", ImageFont.load_default(64))
    return icon


def _draw(title: str) -> Callable[[], None]:
    return lambda: drawn(title)


def drawn(title: str) -> None:
    """Draw the page `title`; what a user can fix is a sentence on it."""
    run = chosen_run()
    try:
        if title == SEASON:
            st.title(title, anchor=False)
            season.show(asked_for()[0])
        elif run is not None:
            opened = open_run(run.folder)
            st.title(title, anchor=False)
            OF_A_RUN[title](opened)
    except HmgpuError as error:
        st.error(str(error))


def _others(opened: OpenRun) -> list[Path]:
    return [run.folder for run in finished_runs(asked_for()[0]) if run.folder != opened.run.folder]


if __name__ == "__main__":
    main()
