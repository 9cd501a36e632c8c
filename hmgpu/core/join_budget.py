"""Joins whose output can explode are estimated before they are run, and kept within bounds that are said."""

import logging

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.engine import Engine

log = logging.getLogger(__name__)
Floats = npt.NDArray[np.float64]


def affordable(rows: pl.LazyFrame, by: str, wanted: int, most: int, what: str, engine: Engine) -> int:
    """How many rows of each group may be paired with each other, so that there are at most `most` pairs.

    A self-join makes as many pairs of a group as the square of its rows: one bulk buyer makes more than a million
    others. Only the sizes of groups are worked out here.

    Args:
        rows: what is to be joined with itself on `by`.
        wanted: rows of a group that are to be paired, if that is affordable.
        what: names the join in the log, where a bound that cuts anything off is a warning.

    Returns:
        `wanted`, or as many as are affordable; at least 1.
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
            "%s: %.3g pairs would be formed and %.3g may be, so that %d instead of %d rows of each %s are paired",
            what,
            _pairs(size, groups, wanted),
            most,
            low,
            wanted,
            by,
        )
    return low


def _pairs(size: Floats, groups: Floats, n: int) -> float:
    return float((groups * np.minimum(size, n) ** 2).sum())
