"""Estimate joins whose output can explode before they run, and cap them with a warning in the log."""

import logging

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.engine import Engine

log = logging.getLogger(__name__)
Floats = npt.NDArray[np.float64]


def affordable(rows: pl.LazyFrame, by: str, wanted: int, most: int, what: str, engine: Engine) -> int:
    """Return how many rows of each group a self-join may pair without exceeding `most` pairs in all.

    A self-join pairs every row of a group with every row of that group: one bulk buyer can add more pairs than a
    million other customers. Only the sizes of the groups are computed here, not the pairs.

    Args:
        rows: the table to be joined with itself on `by`.
        wanted: rows to pair in each group, if that is affordable.
        what: names the join in the log, which warns if the limit cuts any rows off.

    Returns:
        `wanted`, or the largest number of rows below it that is affordable; at least 1.
    """
    sizes = rows.group_by(by).agg(size=pl.len()).group_by("size").agg(groups=pl.len())
    table = engine.collect(sizes.sort("size"))
    size, groups = (table[name].cast(pl.Float64).to_numpy() for name in ("size", "groups"))
    low, high = 1, wanted
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _pairs(size, groups, middle) <= most else (low, middle - 1)
    if low < wanted:
        log.warning(
            "%s: %d rows of each %s would form %.3g pairs, above the limit of %.3g, so only %d are paired",
            what,
            wanted,
            by,
            _pairs(size, groups, wanted),
            most,
            low,
        )
    return low


def _pairs(size: Floats, groups: Floats, n: int) -> float:
    return float((groups * np.minimum(size, n) ** 2).sum())
