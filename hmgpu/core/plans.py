"""Building blocks for plans that give the same result, to the last bit, in Polars and in cuDF.

cuDF has no top-k or head within a group and no date arithmetic, and float sums depend on the order of threads. So ranks
within a group come from a sort and row numbers, days are integers, and weights are summed as fixed-point integers.

Every sum of integers states what keeps it below 2^63. A table has fewer than 2^31 rows, a price is below 2^31 units and
a day below 2^16: so counts fit into an int32, and sums of prices, ages or days into an int64.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import polars as pl

PACK = 1 << 31  # larger than any key
HALF = 1 << 16
SIZES = {"highs": float(HALF * HALF), "mixed": 2.0 * HALF, "lows": 1.0}  # (high·HALF + low)², term by term
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
ONE = 1 << 20  # 1.0 in fixed point: about six decimals, and 2^43 of them fit into an int64
TODAY = 1 << 31  # what something of today weighs, the more the newer: fewer than 2^31 of them fit into an int64


def packed(first: str, second: str) -> pl.Expr:
    """Pack two columns of keys into one int64: grouping and joining by it takes a third of the time."""
    return pl.col(first).cast(pl.Int64) * PACK + pl.col(second)


def unpacked(pack: str, first: str, second: str) -> list[pl.Expr]:
    """Unpack the int32 columns `first` and `second` that `packed` put into the column `pack`."""
    pair = pl.col(pack)
    return [(pair // PACK).cast(pl.Int32).alias(first), (pair % PACK).cast(pl.Int32).alias(second)]


def fixed_point(weight: pl.Expr, one: int = ONE) -> pl.Expr:
    """Convert a float weight to int64 multiples of 1 / `one`, so that sums don't depend on the order of rows."""
    return (weight * one).round().cast(pl.Int64)


def decayed(cutoff: int, half_life: float, days: int | None = None, one: int = TODAY) -> pl.Expr:
    """Return the int64 weight of what happened on `day`: `one` at the `cutoff`, and half of it every `half_life` days.

    Of two days the later one weighs more, however long ago they were: weights too small to be told apart in steps of
    1 / `one` fall by one step a day instead, down to one step for the first of the days that count.

    A weight is at most `one` plus the days (fewer than 2^16 from 1970 to 2099), so that a sum over fewer than 2^31 rows
    stays below 2^63.

    Args:
        cutoff: the first unknown day.
        half_life: in days; infinite: all weigh the same.
        days: days before the cutoff that count; None: all since 1970.
        one: the weight of today. Smaller than TODAY where weights are multiplied before they are summed.
    """
    age = cutoff - pl.col("day").cast(pl.Int64)
    reach = min(days or cutoff, cutoff)
    fresh = fixed_point(pl.lit(0.5).pow(age.cast(pl.Float64) / half_life), one)
    # Above twice the half-life, weights fall by more than a step a day.
    apart = reach + int(min(2 * half_life, one)) * math.isfinite(half_life)
    return pl.when(fresh > apart).then(fresh).otherwise(reach + 1 - age)


def mean_and_deviation(rows: pl.LazyFrame, by: str, value: str) -> pl.LazyFrame:
    """Return (`by`, mean float64, deviation float64): of the integers `value`, 0 to 2^31 - 1, in each group of `rows`.

    Everything before the square root is summed as integers, so the order of a sum can't change a bit. Squares are those
    of the distance to the group's mean, in halves of 16 bits: no product of two halves reaches 2^32, so that a sum over
    fewer than 2^31 rows fits into an int64.
    """
    number = pl.col(value).cast(pl.Int64)
    # A sum of numbers below 2^31 over fewer than 2^31 rows stays below 2^62.
    totals = rows.group_by(by).agg(units=pl.len().cast(pl.Int64), total=number.sum())
    near = totals.with_columns(near=pl.col("total") // pl.col("units"))
    away = (number - pl.col("near")).abs()
    halves = rows.join(near, on=by).select(by, high=away // HALF, low=away % HALF)
    high, low = pl.col("high"), pl.col("low")
    sums = halves.group_by(by).agg(highs=(high * high).sum(), mixed=(high * low).sum(), lows=(low * low).sum())
    count = pl.col("units").cast(pl.Float64)
    # No product is negative: `abs` only keeps Polars from fusing it with a sum into a node that cuDF lacks.
    squares = sum(((pl.col(name).cast(pl.Float64) * size).abs() for name, size in SIZES.items()), pl.lit(0.0))
    rest = (pl.col("total") % pl.col("units")).cast(pl.Float64)
    spread = (count * squares).abs() - (rest * rest).abs()
    return near.join(sums, on=by).select(
        by,
        mean=pl.col("total") / pl.col("units"),
        deviation=pl.when(spread > 0).then(spread).otherwise(0.0).sqrt() / count,
    )


def ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return `part` / `whole`, null where the whole is 0: nothing is infinite, and XGBoost refuses what is."""
    return pl.when(whole > 0).then(part / whole)


def ranked(frame: pl.LazyFrame, by: str | Sequence[str], score: str = "score", tie: str = "article") -> pl.LazyFrame:
    """Add an int32 `rank` within each group `by`: 1 for the highest `score`; ties go to the smaller `tie`.

    A null score comes last. With an empty `by` the whole table is one group.
    """
    groups = [by] if isinstance(by, str) else list(by)
    ordered = frame.sort(*groups, score, tie, descending=[False] * len(groups) + [True, False], nulls_last=True)
    numbered = ordered.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    first = pl.col("row").min().over(groups) if groups else 0
    return numbered.with_columns(rank=(pl.col("row") - first + 1).cast(pl.Int32)).drop("row")


def top_n(
    frame: pl.LazyFrame, n: int, by: str | Sequence[str], score: str = "score", tie: str = "article"
) -> pl.LazyFrame:
    """Keep the `n` rows of highest `score` in each group `by`, with their int32 `rank` from 1."""
    return ranked(frame, by, score, tie).filter(pl.col("rank") <= n)


def scattered(keys: Sequence[str], seed: int) -> pl.Expr:
    """Pseudo-random int64 for each row, which depends only on its integer `keys` and the seed.

    Samples taken with it are the same on every engine and for any order of rows. It is a linear mix of the keys,
    squared twice modulo the Mersenne prime 2^31-1 (so that no product overflows an int64).
    """
    prime = (1 << 31) - 1
    mixed = pl.lit(seed % prime, dtype=pl.Int64)
    for key in keys:
        mixed = (mixed * 1_103_515_245 + pl.col(key).cast(pl.Int64) % prime * 69_069 + 12_345) % prime
    for _ in range(2):
        mixed = (mixed * mixed + 907_633_385) % prime
    return mixed


def sample(customers: Frame, n: int | None, seed: int) -> Frame:
    """Sample `n` of `customers` (customer) without replacement, in random order; None returns all of them."""
    if n is None:
        return customers
    return (
        customers.with_columns(draw=scattered(["customer"], seed)).sort("draw", "customer").head(n).select("customer")
    )
