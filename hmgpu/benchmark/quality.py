"""Compute how good lists are over all weeks together, and by how much one recommender is ahead of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.benchmark.result import Result
from hmgpu.core.certainty import ratio_intervals
from hmgpu.core.list_length import K
from hmgpu.core.metrics import average_precision

Estimate = dict[str, float]
"""`value`, and the `low` and `high` end of its 95 % interval."""


def judged(lists: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return (customer, average_precision, hits, bought) of everybody who bought, in order of customers.

    Args:
        lists: (customer, article, rank). labels: (customer, article) bought in the week, each once.
    """
    bought = labels.group_by("customer").agg(bought=pl.len().cast(pl.Int64))
    hits = lists.filter(pl.col("rank") <= K).join(labels, on=["customer", "article"]).group_by("customer")
    known = average_precision(lists, labels, K).join(bought, on="customer", how="left", maintain_order="left")
    found = hits.agg(hits=pl.len().cast(pl.Int64))
    counted = known.join(found, on="customer", how="left", maintain_order="left")
    return counted.select("customer", "average_precision", pl.col("hits").fill_null(0), "bought")


def ratio(weeks: Sequence[pl.DataFrame], above: str, below: str | None = None) -> Estimate:
    """Divide the sum of `above` by the sum of `below`, or by the number of rows, over all weeks together.

    The interval comes from resampling customers, each with all weeks in which they bought.
    """
    rows = pl.concat(weeks).select("customer", above=pl.col(above).cast(pl.Float64), below=below or pl.lit(1))
    # Summed in the order of weeks, so that the same figures give the same bytes.
    grouped = rows.sort("customer", maintain_order=True).group_by("customer", maintain_order=True)
    customers = grouped.agg(pl.col("above").sum(), pl.col("below").sum().cast(pl.Float64))
    sums, counts = customers["above"].to_numpy(), customers["below"].to_numpy()
    (low,), (high,) = ratio_intervals(sums, counts)
    return {"value": float(sums.sum() / counts.sum()), "low": low, "high": high}


def ahead(ours: Sequence[pl.DataFrame], theirs: Sequence[pl.DataFrame]) -> Estimate:
    """Return by how much `ours` is above `theirs` in mean average precision: a paired difference.

    Args:
        ours: each week's (customer, average_precision). theirs: the same weeks and customers.
    """
    both = [
        our.join(their, on="customer", suffix="_theirs", validate="1:1", maintain_order="left").select(
            "customer", gain=pl.col("average_precision") - pl.col("average_precision_theirs")
        )
        for our, their in zip(ours, theirs, strict=True)
    ]
    return ratio(both, "gain")


@dataclass(frozen=True)
class Row:
    """One recommender in the table: its figures, its time and its memory."""

    name: str
    weeks: Sequence[pl.DataFrame]
    """Each week's result of `judged`; without `hits` where the lists were not kept."""
    seconds: float | None
    """Mean seconds a week: fitting, and recommending to the customers who bought in it; None where that is another
    row's work."""
    memory_mib: float | None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def figures(self, own: "Row | None") -> dict[str, Any]:
        """Return the recommender's entry in the result; with `hmgpu_ahead` where it is compared with the row `own`."""
        counted = all("hits" in week.columns for week in self.weeks)
        return {
            "name": self.name,
            "map_at_12": ratio(self.weeks, "average_precision"),
            "recall_at_12": ratio(self.weeks, "hits", "bought") if counted else None,
            "hmgpu_ahead": ahead(own.weeks, self.weeks) if own and own is not self else None,
            "map_at_12_by_week": [week["average_precision"].mean() for week in self.weeks],
            "seconds": None if self.seconds is None else round(self.seconds, 2),
            "memory_mib": self.memory_mib and round(self.memory_mib),
            "settings": dict(self.settings),
        }


@dataclass(frozen=True)
class Quality(Result):
    """A benchmark's result of how good recommendations are, with their time and memory."""

    recommenders: Sequence[Mapping[str, Any]] = ()
    """Each recommender's `Row.figures`, the best first."""

    def table(self) -> Table:
        weeks = self.data["weeks"]
        title = f"{self.data['buyers']:,} lists for customers who bought in the weeks {weeks[0]} to {weeks[-1]}"
        table = Table("recommender", title=title, caption="95 % intervals over customers; seconds are a week's")
        for name in ("MAP@12", "95 %", "recall@12", "95 %", "hmgpu is ahead by", "95 %", "seconds", "MiB"):
            table.add_column(name, justify="right")
        for each in self.recommenders:
            cells = [*_cells(each["map_at_12"], ".5f"), *_cells(each["recall_at_12"], ".4f")]
            cells += _cells(each["hmgpu_ahead"], "+.5f")
            seconds, memory = each["seconds"], each["memory_mib"]
            costs = ["" if seconds is None else f"{seconds:,.1f}", "" if memory is None else f"{memory:,}"]
            table.add_row(each["name"], *cells, *costs)
        for name, reason in self.absent.items():
            table.add_row(name, reason, style="dim")
        return table

    def as_json(self, command: str) -> dict[str, Any]:
        return super().as_json(command) | {"recommenders": [dict(each) for each in self.recommenders]}


def _cells(estimate: Estimate | None, shape: str) -> list[str]:
    if estimate is None:
        return ["–", ""]
    value, low, high = (f"{estimate[name]:{shape}}" for name in ("value", "low", "high"))
    return [value, f"{low} to {high}"]
