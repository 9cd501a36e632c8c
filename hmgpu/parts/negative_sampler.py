"""The base class of negative samplers, which choose articles that a customer did not buy to train a ranker on."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from hmgpu.core.plans import scattered
from hmgpu.data.store import History
from hmgpu.parts.part import Part


@dataclass(frozen=True)
class TrainingWeek:
    """One training week of the customers who bought a candidate in it; the others teach a ranker no order."""

    recalled: pl.LazyFrame
    """(customer, article): candidates that these customers did not buy."""
    bought: pl.LazyFrame
    """(customer, article): candidates that these customers bought."""
    sold: pl.LazyFrame
    """(day, customer, article): all purchases of the week by any customer, one row for each unit."""
    history: History
    """What was known before the week."""
    seed: int

    @property
    def customers(self) -> pl.LazyFrame:
        """The customers of the week: (customer), each once."""
        return self.bought.select("customer").unique()


class NegativeSampler(Part):
    """Sample negatives for each customer; articles that they did buy in the week are removed afterwards."""

    home = "hmgpu.parts.negatives"

    @abstractmethod
    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        """Return the sampled pairs (customer int32, article int32), in any order; pairs may repeat.

        The sample of one customer must not depend on which other customers are in the week: derive it from the keys and
        `week.seed` alone. An article that is not a candidate of the customer gets no scores and ranks.
        """


def times(rows: pl.LazyFrame, n: int) -> pl.LazyFrame:
    """Repeat each of `rows` `n` times, numbered by int32 `turn` from 0."""
    return rows.join(pl.LazyFrame({"turn": range(n)}, schema={"turn": pl.Int32}), how="cross")


def draw_negatives(asked: pl.LazyFrame, pool: pl.LazyFrame, by: str | Sequence[str], seed: int) -> pl.LazyFrame:
    """Join each row of `asked` (customer, turn, …) with one row of `pool`, sampled from the same group `by`.

    All rows of a group are equally likely. A row of `asked` whose group is not in `pool` is dropped.
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
    """Sample `n` rows of `pool` (article) for each of `customers` (customer), all rows equally likely."""
    everything = pl.lit(0, dtype=pl.Int8).alias("everything")
    asked, pool = (table.with_columns(everything) for table in (times(customers, n), pool))
    sampled = draw_negatives(asked, pool, "everything", seed)
    return sampled.select("customer", "article")
