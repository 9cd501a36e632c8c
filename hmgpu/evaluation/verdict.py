"""Say in a sentence how much better than the best simple method a ranker is."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from hmgpu.core.certainty import ratio_interval
from hmgpu.core.list_length import list_length
from hmgpu.evaluation.method_names import shown_as

SIMPLE = ("own_past", "repurchase_popular")  # the first that was scored


def verdict(metrics: Mapping[str, Any], precisions: pl.DataFrame) -> str:
    """Return the ratio of the ranker's MAP@k to a simple method's, and its 95 % interval.

    Args:
        metrics: the content of `metrics.json`.
        precisions: (customer, average precision of every method), as they lie next to it.
    """
    simple = next(method for method in SIMPLE if method in precisions.columns)
    k = list_length(metrics)
    ours, theirs = (metrics[f"map_at_{k}"][method] for method in ("ranker", simple))
    if not theirs:
        return f"{shown_as(simple)} found nothing, so there is nothing to be ahead of."
    low, high = ratio_interval(precisions.select("customer", simple, "ranker"))
    chance = "" if low > 1 or high < 1 else ": that may be chance"
    return f"MAP@{k} is {ours / theirs:.2f} times that of {shown_as(simple)} (95 %: {low:.2f} to {high:.2f}){chance}."
