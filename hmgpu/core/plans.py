"""Idioms for plans that run in Polars and in cuDF alike, with the same result to the last bit.

cuDF has no top-k or head within a group and no date arithmetic, and float sums depend on the order of threads. So ranks
within a group come from a sort and row numbers, days are integers, and weights are fixed-point integers when summed.
"""

from collections.abc import Sequence
from typing import TypeVar

import polars as pl

PACK = 1 << 31  # more than there can be keys
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
ONE = 1 << 20  # 1.0 in fixed point: about six decimals, and 2^43 of them fit into an int64


def packed(first: str, second: str) -> pl.Expr:
    """Two columns of keys in one int64: groups and joins by it take a third of the time that two columns take."""
    return pl.col(first).cast(pl.Int64) * PACK + pl.col(second)


def unpacked(pack: str, first: str, second: str) -> list[pl.Expr]:
    """The int32 columns `first` and `second` that `packed` put into `pack`."""
    pair = pl.col(pack)
    return [(pair // PACK).cast(pl.Int32).alias(first), (pair % PACK).cast(pl.Int32).alias(second)]


def fixed_point(weight: pl.Expr) -> pl.Expr:
    """A float weight as int64 multiples of 2^-20, so that its sums don't depend on their order."""
    return (weight * ONE).round().cast(pl.Int64)


def decayed(age: pl.Expr, half_life: float) -> pl.Expr:
    """Fixed-point weight of something `age` days old: 1.0 today, half of it every `half_life` days."""
    return fixed_point(pl.lit(0.5).pow(age.cast(pl.Float64) / half_life))


def deviation(units: str, total: str, squares: str) -> pl.Expr:
    """Standard deviation from integer columns: the number of values, their sum and the sum of their squares.

    All integers up to the root, so the order of a sum can't change a bit. They fit an int64 while the number of values
    times their sum of squares stays below 9e18.
    """
    count = pl.col(units).cast(pl.Int64)
    # Both are positive: `abs` only keeps Polars from fusing product and difference into a node that cuDF lacks.
    spread = (count * pl.col(squares)).abs() - (pl.col(total) * pl.col(total)).abs()
    return spread.cast(pl.Float64).sqrt() / count


def ranked(frame: pl.LazyFrame, by: str | Sequence[str], score: str = "score", tie: str = "article") -> pl.LazyFrame:
    """Adds int32 `rank` within each group `by`: 1 for the highest `score`; ties break on the smaller `tie`.

    A null score comes last. With no `by` the whole table is one group.
    """
    groups = [by] if isinstance(by, str) else list(by)
    ordered = frame.sort(*groups, score, tie, descending=[False] * len(groups) + [True, False], nulls_last=True)
    numbered = ordered.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    first = pl.col("row").min().over(groups) if groups else 0
    return numbered.with_columns(rank=(pl.col("row") - first + 1).cast(pl.Int32)).drop("row")


def top_n(
    frame: pl.LazyFrame, n: int, by: str | Sequence[str], score: str = "score", tie: str = "article"
) -> pl.LazyFrame:
    """The `n` rows of highest `score` in each group `by`, with their int32 `rank` from 1."""
    return ranked(frame, by, score, tie).filter(pl.col("rank") <= n)


def scattered(keys: Sequence[str], seed: int) -> pl.Expr:
    """A pseudo-random int64 for each row that depends on its integer `keys` and the seed alone.

    For sampling that is the same on every engine and whatever the order of rows: a linear mix of the keys, squared
    twice modulo the Mersenne prime 2^31-1 (so that no product leaves an int64).
    """
    prime = (1 << 31) - 1
    mixed = pl.lit(seed % prime, dtype=pl.Int64)
    for key in keys:
        mixed = (mixed * 1_103_515_245 + pl.col(key).cast(pl.Int64) * 69_069 + 12_345) % prime
    for _ in range(2):
        mixed = (mixed * mixed + 907_633_385) % prime
    return mixed


def sample(customers: Frame, n: int | None, seed: int) -> Frame:
    """`n` of `customers` (customer), each once, as if drawn at random, in the order of drawing; None takes all."""
    if n is None:
        return customers
    return (
        customers.with_columns(draw=scattered(["customer"], seed)).sort("draw", "customer").head(n).select("customer")
    )
