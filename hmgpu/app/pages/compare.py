"""Two runs: how far one is ahead, and the customers whose lists differ most."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from hmgpu.app.frame import draw, open_run, shelves
from hmgpu.app.lookups.differences import Differing, differing_lists
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.html.blocks import Grid, count, score
from hmgpu.core.html.dots import Dots, Interval
from hmgpu.core.list_length import list_length
from hmgpu.core.words import counted
from hmgpu.evaluation.method_names import shown_as
from hmgpu.experiments.compare import Judged, compare

MOST = 5  # customers


def show(opened: OpenRun, others: Sequence[Path]) -> None:
    """Draw the page; `others` are the other finished runs next to this one."""
    names = {folder.name: folder for folder in others}
    if not names:
        st.info("There is only one finished run here: another one, with other settings, can be compared with it.")
        return
    second = open_run(names[st.selectbox("Compare with", list(names), key="compare with")])
    st.caption(f"A is {opened.name}, B is {second.name}.")
    draw(_methods(opened, second))
    found = compared(str(opened.run.folder), str(second.run.folder))
    draw(_ahead(found), _settings(found) if found["settings"] else None)
    st.subheader("The lists that differ most", anchor=False)
    for each in differing_lists(opened, second, MOST):
        draw(_lists(each))


@st.cache_data(max_entries=16, show_spinner="Comparing …")
def compared(first: str, second: str) -> dict[str, Any]:
    """Return what `hmgpu compare` prints."""
    return compare(Judged.read(Path(first)), Judged.read(Path(second)))


def _methods(first: OpenRun, second: OpenRun) -> Dots:
    """Return every method's figure in both runs, with its interval."""
    figures, k = list[tuple[str, float, Interval | None]](), 0
    for name, opened in (("A", first), ("B", second)):
        week = opened.held_out
        if week:
            k = list_length(week.metrics)
            spans = week.metrics.get(f"map_at_{k}_interval", {})
            for method, value in week.metrics[f"map_at_{k}"].items():
                figures.append((f"{name}: {shown_as(method)}", value, spans.get(method)))
    return Dots(f"MAP@{k} of all methods, with 95 % intervals", figures, strong=frozenset({"A: ranker", "B: ranker"}))


def _ahead(found: Mapping[str, Any]) -> Grid:
    groups = {"all": found["all"], **found["segments"]}
    k = list_length(found["all"])
    rows = [
        [
            name,
            count(row["customers"]),
            *map(score, row[f"map_at_{k}"]),
            f"{row['difference']:+.5f}",
            f"{row['low']:+.5f} to {row['high']:+.5f}",
            f"{row['p_value']:.4f}",
        ]
        for name, row in groups.items()
    ]
    headings = ["customers", "number", "A", "B", "B − A", "95 % interval", "p"]
    return Grid(f"How far B's lists are ahead, in MAP@{k}", headings, rows, strong=frozenset({"all"}))


def _settings(found: Mapping[str, Any]) -> Grid:
    rows = [
        [key, *("–" if value is None else str(value) for value in values)] for key, values in found["settings"].items()
    ]
    return Grid("Settings that differ", ["key", "A", "B"], rows, numbers=False)


def _lists(each: Differing) -> object:
    first, second = each.average_precisions
    about = f"{counted(each.shared, 'article')} in both lists. What was bought in the week is framed."
    rows = [(f"A, average precision {first:.3f}", each.lists[0]), (f"B, average precision {second:.3f}", each.lists[1])]
    return shelves(f"Customer {each.customer_id}", rows, about, small=True)
