"""What normalises numbers, whatever their scale and wherever they are missing: measured once, on training examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hmgpu.parts.examples import Examples, numbers_of

FAR = 8.0  # standard deviations at which numbers are cut off, so that no single one decides alone
Vector = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Moments:
    """Of some columns, in their order."""

    logged: Vector
    """Whether a column is replaced by log(1 + x): one without negative numbers, such as counts, prices and days."""
    mean: Vector
    deviation: Vector
    """The standard deviation; 1 where the column is constant: it must not be blown up where it differs later."""
    gaps: tuple[int, ...]
    """Places of the columns in which some numbers are missing: "not proposed by this retriever" is not a rank."""


def moments_of(examples: Examples, names: Sequence[str]) -> Moments:
    """Return the moments of the columns `names` of customers who bought one of their candidates."""
    count, missing = np.zeros(len(names)), np.zeros(len(names))
    least = np.full(len(names), np.inf)
    sums, squares = np.zeros((2, len(names))), np.zeros((2, len(names)))
    for table in examples.with_purchases():
        raw = numbers_of(table, names).astype(np.float64)
        absent = np.isnan(raw)
        raw[absent] = 0.0
        count, missing = count + (~absent).sum(0), missing + absent.sum(0)
        least = np.minimum(least, np.where(absent, np.inf, raw).min(0))
        for i, values in enumerate((raw, np.log1p(raw.clip(min=0)))):
            sums[i] += values.sum(0)
            squares[i] += (values**2).sum(0)
    logged = least >= 0
    mean, square = (np.where(logged, total[1], total[0]) / np.maximum(count, 1) for total in (sums, squares))
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    deviation = np.where(deviation > 1e-6 * (1 + abs(mean)), deviation, 1.0)
    return Moments(logged, mean, deviation, tuple(np.flatnonzero(missing).tolist()))


def normalised(raw: Vector, moments: Moments) -> Vector:
    """Return `raw` (rows, columns) normalised, 0 where a number is missing, and a column of 1 and 0 for each gap."""
    missing = np.isnan(raw)
    known = np.where(missing, 0.0, raw)
    known = np.where(moments.logged, np.log1p(known.clip(min=0)), known)
    normal = ((known - moments.mean) / moments.deviation).clip(-FAR, FAR)
    return np.hstack([np.where(missing, 0.0, normal), missing[:, list(moments.gaps)]])
