"""What all pages share: the run that is chosen, opened once, and blocks drawn as Streamlit shows them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from hmgpu.app.lookups.items import Item
from hmgpu.app.lookups.opened import OpenRun, data_of
from hmgpu.core.errors import HmgpuError
from hmgpu.core.html.blocks import Article, Card
from hmgpu.core.html.page import fragment
from hmgpu.data.manifest import NAME
from hmgpu.runs.find import is_run
from hmgpu.runs.inventory import ListedRun, inventory
from hmgpu.runs.publish import CURRENT
from hmgpu.serving.finished_run import FinishedRun

RUN = "run"  # in the address, and the key of the choice


def asked_for() -> tuple[Path, str | None]:
    """Return the folder of the runs and, where a run was named, its name."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs")
    return (given.parent, given.resolve().name) if is_run(given) else (given, None)


def finished_runs(runs: Path) -> list[ListedRun]:
    """Return the finished runs, the current one first, then the newest."""
    listed = [run for run in reversed(inventory(runs)) if run.finished]
    return sorted(listed, key=lambda run: not run.current)


def chosen_run() -> ListedRun | None:
    """Draw the choice of a run in the side bar; None, and a sentence, where there is no finished run."""
    runs, named = asked_for()
    try:
        listed = {run.folder.name: run for run in finished_runs(runs)}
    except HmgpuError as error:
        st.warning(str(error))
        return None
    if not listed:
        st.warning(f"There is no finished run in {runs}: `hmgpu run` or `hmgpu demo` makes one.")
        return None
    wanted = st.query_params.get(RUN) or named
    if st.session_state.get(RUN) not in listed:
        st.session_state[RUN] = wanted if wanted in listed else next(iter(listed))
    name = st.sidebar.selectbox("Run", list(listed), key=RUN, format_func=lambda each: _called(listed[each]))
    st.query_params[RUN] = name
    st.sidebar.caption(_achieved(listed[name]))
    return listed[name]


def _called(run: ListedRun) -> str:
    return f"{run.folder.name}{f' ({CURRENT})' if run.current else ''}"


def _achieved(run: ListedRun) -> str:
    score = "" if run.score is None else f", MAP@{run.k} {run.score:.5f} in the week from {run.week}"
    return f"Data up to {run.last_day}{score}."


@st.cache_resource(max_entries=4, show_spinner="Opening the run …")
def _opened(folder: str, changed: int) -> OpenRun:
    return OpenRun(Path(folder))


def open_run(folder: Path) -> OpenRun:
    """Return a run with its data set, opened once until the data set changes; raises what `OpenRun` does."""
    root = data_of(FinishedRun.open(folder))
    return _opened(str(folder), (root / NAME).stat().st_mtime_ns)


def draw(*blocks: object) -> None:
    """Draw blocks of `core.html` in the colours of the page around them."""
    st.html(fragment([block for block in blocks if block is not None], dark=st.context.theme.type == "dark"))


def shelves(title: str, rows: Sequence[tuple[str, Sequence[Item]]], about: str = "", small: bool = False) -> Card:
    """Return rows of articles under headings as a block; their names lead to the page of the article."""
    return Card(title, about, [(heading, [_article(each) for each in row]) for heading, row in rows], small)


def shelf(title: str, articles: Sequence[Item], about: str = "", small: bool = False) -> Card:
    """Return one row of articles as a block."""
    return shelves(title, [("", articles)], about, small)


def link(page: str, **asked: str) -> str:
    """Return the address of a page about what is `asked`, for the run that is chosen now."""
    asked = {RUN: st.query_params.get(RUN, ""), **asked}
    return f"{page}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())


def _article(each: Item) -> Article:
    rank = f"No. {each.rank}" if each.rank else ""
    note = " · ".join(filter(None, (rank, "bought" if each.hit else "", each.note)))
    about = " · ".join(filter(None, (each.about, each.price)))
    picture, colour = (each.picture, None) if each.picture else (None, each.colour)
    return Article(each.name, about, note, each.hit, picture, colour, link("article", article=each.article_id))
