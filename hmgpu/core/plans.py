"""Building blocks for plans that give the same result, to the last bit, in Polars and in cuDF.

cuDF has no top-k or head within a group and no date arithmetic, and float sums depend on the order of threads. So ranks
within a group come from a sort and row numbers, days are integers, and weights are summed as fixed-point integers.
"""

from collections.abc import Sequence
from typing import TypeVar

import polars as pl

PACK = 1 << 31  # larger than any key
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
ONE = 1 << 20  # 1.0 in fixed point: about six decimals, and 2^43 of them fit into an int64


def packed(first: str, second: str) -> pl.Expr:
    """Pack two columns of keys into one int64: grouping and joining by it takes a third of the time."""
    return pl.col(first).cast(pl.Int64) * PACK + pl.col(second)


def unpacked(pack: str, first: str, second: str) -> list[pl.Expr]:
    """Unpack the int32 columns `first` and `second` that `packed` put into the column `pack`."""
    pair = pl.col(pack)
    return [(pair // PACK).cast(pl.Int32).alias(first), (pair % PACK).cast(pl.Int32).alias(second)]


def fixed_point(weight: pl.Expr) -> pl.Expr:
    """Convert a float weight to int64 multiples of 2^-20, so that sums don't depend on the order of rows."""
    return (weight * ONE).round().cast(pl.Int64)


def decayed(age: pl.Expr, half_life: float) -> pl.Expr:
    """Fixed-point weight of something `age` days old: 1.0 today, halved every `half_life` days."""
    return fixed_point(pl.lit(0.5).pow(age.cast(pl.Float64) / half_life))


def deviation(units: str, total: str, squares: str) -> pl.Expr:
    """Standard deviation from integer columns: the number of values, their sum and the sum of their squares.

    Everything before the square root is integer, so the order of a sum can't change a bit. It fits an int64 while the
    number of values times their sum of squares stays below 9e18.
    """
    count = pl.col(units).cast(pl.Int64)
    # Neither term is negative: `abs` only keeps Polars from fusing product and difference into a node that cuDF lacks.
    spread = (count * pl.col(squares)).abs() - (pl.col(total) * pl.col(total)).abs()
    return spread.cast(pl.Float64).sqrt() / count


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
        mixed = (mixed * 1_103_515_245 + pl.col(key).cast(pl.Int64) * 69_069 + 12_345) % prime
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
