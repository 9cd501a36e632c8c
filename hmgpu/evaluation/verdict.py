"""Say how much better than the best simple method a ranker is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.certainty import ratio_interval
from hmgpu.core.list_length import list_length
from hmgpu.evaluation.method_names import shown_as

SIMPLE = ("own_past", "repurchase_popular")  # the first that was scored


@dataclass(frozen=True)
class Ahead:
    """How many times the MAP@k of a simple method the ranker's is."""

    k: int
    over: str
    """The simple method, as people read it."""
    times: float | None
    """None where the simple method found nothing."""
    low: float = 0.0
    high: float = 0.0
    """The ends of its 95 % interval."""

    @property
    def sure(self) -> bool:
        """Whether the interval does not hold 1."""
        return self.low > 1 or self.high < 1


def ahead(metrics: Mapping[str, Any], precisions: pl.DataFrame) -> Ahead | None:
    """Return the ratio of the ranker's MAP@k to a simple method's; None where no simple method was scored.

    Args:
        metrics: the content of `metrics.json`.
        precisions: (customer, average precision of every method), as they lie next to it.
    """
    simple = next((method for method in SIMPLE if method in precisions.columns), None)
    if simple is None:
        return None
    k = list_length(metrics)
    ours, theirs = (metrics[f"map_at_{k}"][method] for method in ("ranker", simple))
    if not theirs:
        return Ahead(k, shown_as(simple), None)
    low, high = ratio_interval(precisions.select("customer", simple, "ranker"))
    return Ahead(k, shown_as(simple), ours / theirs, low, high)


def verdict(metrics: Mapping[str, Any], precisions: pl.DataFrame) -> str:
    """Return in a sentence what `ahead` computes."""
    found = ahead(metrics, precisions)
    if found is None:
        return "No simple method was scored, so there is nothing to be ahead of."
    if found.times is None:
        return f"{found.over} found nothing, so there is nothing to be ahead of."
    chance = "" if found.sure else ": that may be chance"
    return (
        f"MAP@{found.k} is {found.times:.2f} times that of {found.over} "
        f"(95 %: {found.low:.2f} to {found.high:.2f}){chance}."
    )
