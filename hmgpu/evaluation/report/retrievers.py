"""Show what each retriever proposes, how much of it is bought, and how much of it other retrievers propose too."""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.html.blocks import Grid, Heat, Section, count, rate, share
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.lines import Lines
from hmgpu.core.parquet import scan_table
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.tables import MERGED
from hmgpu.parts.candidates import RANK
from hmgpu.parts.examples import LABEL, Examples

EXPLAINED = (
    "Recall is the share of the articles bought in the week that a retriever had proposed to their buyers, among its "
    "first 12, 100, … candidates or among all of them. The positive rate is the share of its candidates that were "
    "bought. “merged” is all retrievers together."
)
SHARED = "Of 100 candidates of the retriever on the left, how many the retriever at the top also proposes"
SHARED_HITS = "Of 100 bought candidates of the retriever on the left, how many the retriever at the top also proposes"
Shares = list[tuple[str, list[float | None]]]


def retrievers(week: Evaluated) -> Section:
    """Return the section with recall, positive rate and overlap of the retrievers."""
    found = week.metrics["retrievers"]
    depths = _depths(found)
    rows = [[name, *_cells(figures, depths)] for name, figures in found.items()]
    recalls = [(name, figures["recall"], None) for name, figures in found.items()]
    blocks: list[object] = [
        Dots("Recall", recalls, share, frozenset({MERGED})),
        Grid("Candidates", ["retriever", *_headings(depths)], rows, strong=frozenset({MERGED})),
    ]
    blocks += _merged_by_segment(week.metrics) + _by_segment(found) + _by_rank(found)
    if len(week.retrievers) > 1:
        candidates, hits = overlap(week.examples, week.retrievers, week.engine)
        names = week.retrievers
        blocks += [Heat(SHARED, "retriever", names, candidates, 1.0), Heat(SHARED_HITS, "retriever", names, hits, 1.0)]
    return Section("Retrievers", EXPLAINED, blocks)


def _merged_by_segment(metrics: Mapping[str, Any]) -> list[object]:
    """Return all retrievers' joint figures in every segment, and a chart of recall by depth; empty without figures."""
    found = metrics["retrievers"][MERGED].get("segments", {})
    depths = _depths(found)
    if not depths:
        return []
    rows = [
        [name, count(metrics["segments"][name]["customers"]), *_cells(figures, depths)]
        for name, figures in found.items()
    ]
    curves = {name: [figures[f"recall_at_{k}"] for k in depths] for name, figures in found.items()}
    return [
        Grid("All retrievers together, by segment", ["segment", "customers", *_headings(depths)], rows),
        Lines("Recall of all retrievers together, by segment", "candidates", list(map(str, depths)), curves, share),
    ]


def _by_segment(found: Mapping[str, Any]) -> list[object]:
    """Return recall in every segment; empty where the figures lack it."""
    segments = sorted({segment for figures in found.values() for segment in figures.get("segments", {})})
    rows = [
        (name, [figures["segments"][s]["recall"] if s in figures.get("segments", {}) else None for s in segments])
        for name, figures in found.items()
    ]
    most = max((value for _, values in rows for value in values if value is not None), default=0.0)
    return [Heat("Recall by segment, in %", "retriever", segments, rows, most or 1.0)] if segments else []


def _by_rank(found: Mapping[str, Any]) -> list[object]:
    """Return the positive rate of the first ranks and of later ones; empty where the figures lack it."""
    bins = {bounds for figures in found.values() for bounds in figures.get("ranks", {})}
    ordered = sorted(bins, key=lambda bounds: int(bounds.partition("-")[0]))
    rows = [
        [name, *(rate(figures["ranks"][b]["positive_rate"]) if b in figures["ranks"] else "" for b in ordered)]
        for name, figures in found.items()
        if "ranks" in figures
    ]
    return [Grid("Positive rate by rank", ["retriever", *ordered], rows)] if rows else []


def overlap(examples: Examples, retrievers: Sequence[str], engine: Engine) -> tuple[Shares, Shares]:
    """Return, for each retriever, the share of its candidates that each of `retrievers` proposes; then of its hits.

    A share is None where the retriever has no candidates, or no hits. One streaming pass reads the ranks alone.
    """
    proposed = [pl.col(f"{name}{RANK}").is_not_null() for name in retrievers]
    hit, places = pl.col(LABEL) > 0, range(len(retrievers))
    sums = {}
    for first, second in product(places, places):
        both = proposed[first] & proposed[second]
        sums[f"all {first} {second}"] = both.cast(pl.Int64).sum()
        sums[f"hits {first} {second}"] = (both & hit).cast(pl.Int64).sum()
    found = engine.collect(scan_table(examples.files).select(**sums)).row(0, named=True)

    def shares(of: str) -> Shares:
        rows = [[found[f"{of} {first} {second}"] for second in places] for first in places]
        own = [row[first] for first, row in enumerate(rows)]
        return [
            (name, [number / total if total else None for number in row])
            for name, row, total in zip(retrievers, rows, own, strict=True)
        ]

    return shares("all"), shares("hits")


def _depths(found: Mapping[str, Any]) -> list[int]:
    """Return the depths at which the figures have recall: 12 for recall_at_12, and so on."""
    keys = {key for figures in found.values() for key in figures if re.fullmatch(r"recall_at_\d+", key)}
    return sorted(int(key.removeprefix("recall_at_")) for key in keys)


def _headings(depths: list[int]) -> list[str]:
    """Return the headings of `_cells`."""
    return ["per customer", *(f"recall@{k}" for k in depths), "recall", "positive rate"]


def _cells(figures: Mapping[str, Any], depths: list[int]) -> list[str]:
    recalls = [share(figures.get(f"recall_at_{k}")) for k in depths]
    per_customer = f"{figures['candidates_a_customer']:.1f}"
    return [per_customer, *recalls, share(figures["recall"]), rate(figures["positive_rate"])]
