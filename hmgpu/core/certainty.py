"""Estimate how far a mean depends on which customers happened to buy: bootstrap intervals, and a paired test.

Both sample whole customers, with all their weeks: a customer's purchases in two weeks aren't independent. Neither shows
how far a figure depends on the weeks, or on the luck of a fit.

Every average precision at k ≤ 12 is a whole multiple of 1/27720², where 27720 is the least common multiple of 1 to 12.
In these units sums are exact: they are the same in any order and on any machine, and equal sums are equal. For longer
lists an average precision is rounded to the nearest such multiple.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.list_length import K

DRAWS, FLIPS, SEED = 1_000, 9_999, 0
CELLS = 1 << 20  # signs sampled at once
ENDS = (0.025, 0.975)  # of an interval
HUGE = 1e300  # a ratio to nothing
UNIT = math.lcm(*range(1, K + 1)) ** 2  # units in 1
Floats = npt.NDArray[np.float64]  # also for whole numbers: up to 2^53 they are exact, and their products are fast


def intervals(rows: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the middle 95 % of each column's mean over bootstrap samples of the customers.

    Each sample draws as many customers as there are, with replacement (Efron & Tibshirani 1993).
    `scipy.stats.bootstrap` samples the same, but takes twice as long for one column and as long again for every other:
    here one sample serves all columns.

    Args:
        rows: (customer, columns of average precisions or of their differences), a row a customer and week.
    """
    weeks, sums = _by_customer(rows)
    lows, highs = ratio_intervals(sums, weeks * UNIT)
    return dict(zip(rows.columns[1:], zip(lows, highs, strict=True), strict=True))


def ratio_intervals(above: Floats, below: Floats) -> tuple[list[float], list[float]]:
    """Return low and high of the middle 95 % of sum(`above`) / sum(`below`), `above` being (customers, columns)."""
    sampled = _sampled_sums(np.column_stack([below, above]))
    low, high = np.quantile(sampled[:, 1:] / sampled[:, :1], ENDS, axis=0).tolist()
    return low, high


def ratio_interval(rows: pl.DataFrame) -> tuple[float, float]:
    """Return the middle 95 % of the ratio of two means over bootstrap samples of the customers.

    A sample in which only `below` is 0 is infinitely far ahead; one in which both are 0 is neither ahead nor behind.

    Args:
        rows: (customer, below, above), average precisions, a row a customer and week.
    """
    _, sums = _by_customer(rows)
    below, above = _sampled_sums(sums).T
    # Quantiles can't be taken of infinite numbers.
    ratios = np.divide(above, below, out=np.where(above > 0, HUGE, 1.0), where=below > 0)
    low, high = (end if end < HUGE**0.5 else math.inf for end in np.quantile(ratios, ENDS).tolist())
    return low, high


def _sampled_sums(rows: Floats) -> Floats:
    """Return the sums of (customers, columns) over each bootstrap sample of the customers: (samples, columns)."""
    customers, draw = len(rows), np.random.default_rng(SEED)
    sampled = np.empty((DRAWS, rows.shape[1]))
    for number in range(DRAWS):
        times = np.bincount(draw.integers(customers, size=customers), minlength=customers)
        sampled[number] = times.astype(np.float64) @ rows
    return sampled


def p_value(rows: pl.DataFrame) -> float:
    """Return how often a difference as large arises if chance decides which pipeline a list is from; two-sided.

    The sign-flip permutation test, as Smucker, Allan & Carterette advise (2007, "A comparison of statistical
    significance tests for information retrieval evaluation"). It tests the difference of means itself, where Wilcoxon's
    test compares ranks; and it holds for few customers, most of them without a difference, where the t-test needs a
    bell curve. The smallest p-value that it returns is 0.0001. `scipy.stats.permutation_test` computes the same and
    takes 40 times as long.

    Args:
        rows: (customer, a column of differences of average precisions), a row a customer and week.
    """
    _, sums = _by_customer(rows)
    gains = sums[sums != 0]  # 0 has no sign to flip
    draw, difference = np.random.default_rng(SEED), gains.sum()
    at_once, as_large = max(1, CELLS // max(1, len(gains))), 0
    for start in range(0, FLIPS, at_once):
        flips = draw.integers(256, size=(min(at_once, FLIPS - start), -(-len(gains) // 8)), dtype=np.uint8)
        flipped = np.unpackbits(flips, axis=1, count=len(gains)).astype(np.float64) @ gains
        as_large += int(np.count_nonzero(abs(difference - 2 * flipped) >= abs(difference)))
    return float((1 + as_large) / (1 + FLIPS))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of several tests, corrected for how many there are, in their order.

    Holm 1979 ("A simple sequentially rejective multiple test procedure"): the chance that any difference below a limit
    is due to chance is at most that limit.
    """
    corrected, least = [0.0] * len(p_values), 0.0
    for place, number in enumerate(sorted(range(len(p_values)), key=lambda number: p_values[number])):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[number]))
        corrected[number] = least
    return corrected


def _by_customer(rows: pl.DataFrame) -> tuple[Floats, Floats]:
    """Return each customer's number of weeks and, as (customers, columns), their sums of `rows`' columns in units."""
    units = rows.select("customer", (pl.exclude("customer") * UNIT).round().cast(pl.Int64))
    customers = units.group_by("customer").agg(pl.all().sum(), weeks=pl.len()).sort("customer")
    whole = customers.select(pl.exclude("customer").cast(pl.Float64))
    return whole["weeks"].to_numpy(), whole.drop("weeks").to_numpy()
