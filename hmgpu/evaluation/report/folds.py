"""Show the last weeks on a page, each scored by a ranker that was fitted and stopped before it."""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.html.blocks import Grid, Section, count, score
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.page import page
from hmgpu.core.list_length import list_length
from hmgpu.evaluation.method_names import shown_as

EXPLAINED = (
    "Every method gives each customer {k} articles. A figure depends on its week: trust that one method is better "
    "than another where it is better in every week. In the row of all weeks, a customer who bought in two weeks "
    "counts twice."
)


def folds_page(found: Mapping[str, Any]) -> str:
    """Return the page about the content of a `folds-….json` (`hmgpu.experiments.folds`)."""
    folds, k = found["folds"], list_length(found["all"])
    methods = [*found["all"][f"map_at_{k}"]]
    weeks = [fold["week"] for fold in folds]
    rows = [[name, *_cells(of, methods)] for name, of in [*zip(weeks, folds, strict=True), ("all", found["all"])]]
    curves = {shown_as(method): [fold[f"map_at_{k}"][method] for fold in folds] for method in reversed(methods)}
    bands = {shown_as(method): [_span(fold, k, method) for fold in folds] for method in methods}
    overall = [(shown_as(m), found["all"][f"map_at_{k}"][m], _span(found["all"], k, m)) for m in methods]
    blocks = [
        Dots(f"MAP@{k} over all weeks and its 95 % interval", overall, strong=frozenset({"ranker"})),
        Lines(f"MAP@{k} by week, with the 95 % interval as a band", "week", weeks, curves, score, bands=bands),
        Grid(
            f"MAP@{k} and its 95 % interval",
            ["week", "customers", *map(shown_as, methods)],
            rows,
            strong=frozenset({"all"}),
        ),
    ]
    about = f"Weeks from {', '.join(weeks)}."
    return page(
        "The last weeks, each scored by a ranker fitted before it",
        about,
        [Section("Weeks", EXPLAINED.format(k=k), blocks)],
    )


def _span(figures: Mapping[str, Any], k: int, method: str) -> tuple[float, float]:
    low, high = figures[f"map_at_{k}_interval"][method]
    return low, high


def _cells(figures: Mapping[str, Any], methods: list[str]) -> list[str]:
    k = list_length(figures)
    values, spans = figures[f"map_at_{k}"], figures[f"map_at_{k}_interval"]
    scores = (f"{score(values[method])}\n{' to '.join(map(score, spans[method]))}" for method in methods)
    return [count(figures["customers"]), *scores]
