"""The base class of negative samplers, which choose what a ranker is shown that a customer did not buy."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from hmgpu.core.plans import scattered
from hmgpu.data.store import History
from hmgpu.parts.part import Part


@dataclass(frozen=True)
class TrainingWeek:
    """One training week of some customers: those who bought a candidate in it, the others teach a ranker no order."""

    recalled: pl.LazyFrame
    """(customer, article): their candidates that they did not buy."""
    bought: pl.LazyFrame
    """(customer, article): their candidates that they bought."""
    sold: pl.LazyFrame
    """(day, customer, article): what anybody bought in the week, one row a unit."""
    history: History
    """What was known before the week."""
    seed: int

    @property
    def customers(self) -> pl.LazyFrame:
        """(customer), each once."""
        return self.bought.select("customer").unique()


class NegativeSampler(Part):
    """Draws articles for each customer. What the customer bought in the week is taken out afterwards."""

    home = "hmgpu.parts.negatives"

    @abstractmethod
    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        """(customer int32, article int32), in any order, pairs may repeat.

        What one customer gets must not depend on which others are asked for: draws are made of the keys and
        `week.seed`. An article that is no candidate of the customer is described without scores and ranks.
        """


def times(rows: pl.LazyFrame, n: int) -> pl.LazyFrame:
    """`rows`, each `n` times, numbered by int32 `turn` from 0."""
    return rows.join(pl.LazyFrame({"turn": range(n)}, schema={"turn": pl.Int32}), how="cross")


def draw_negatives(asked: pl.LazyFrame, pool: pl.LazyFrame, by: str | Sequence[str], seed: int) -> pl.LazyFrame:
    """`asked` (customer, turn, …), each row with the columns of one row of `pool`, drawn from its group `by`.

    All rows of a group are as likely. A row that asks for a group without rows is gone.
    """
    groups = [by] if isinstance(by, str) else list(by)
    columns = pool.collect_schema().names()
    numbered = pool.sort(columns).sort(groups, maintain_order=True).with_row_index("row")
    numbered = numbered.with_columns(place=pl.col("row").cast(pl.Int64))
    numbered = numbered.with_columns(place=pl.col("place") - pl.col("place").min().over(groups)).drop("row")
    sizes = pool.group_by(groups).agg(size=pl.len().cast(pl.Int64))
    place = scattered(["customer", "turn"], seed) % pl.col("size")
    placed = asked.join(sizes, on=groups).with_columns(place=place).drop("size")
    return placed.join(numbered, on=[*groups, "place"]).drop("place")


def draw_for_each(customers: pl.LazyFrame, n: int, pool: pl.LazyFrame, seed: int) -> pl.LazyFrame:
    """(customer, article): `n` rows of `pool` (article) for each of `customers` (customer), all rows as likely."""
    everything = pl.lit(0, dtype=pl.Int8).alias("everything")
    asked, pool = (table.with_columns(everything) for table in (times(customers, n), pool))
    found = draw_negatives(asked, pool, "everything", seed)
    return found.select("customer", "article")
