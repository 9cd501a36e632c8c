"""The customer's own candidates that they did not buy.

As in public solutions of the H&M competition, which sampled 30 for each positive, and left out customers who bought
none of their candidates.
"""

from typing import Annotated, Literal

import polars as pl

from hmgpu.core.plans import ranked, scattered, top_n
from hmgpu.parts.auto import Measured, Rhythm, between
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek
from hmgpu.parts.part import Count

ENOUGH = 20_000  # bought examples, above which a sample of the others tells a ranker as much as all of them


def _negatives(rhythm: Rhythm) -> int:
    """Five for each article of a basket; nearly all where there are so few purchases that each example counts."""
    few = rhythm.positives < ENOUGH
    return between(60 if few else 15, 5 * rhythm.basket, 100)


class Recalled(NegativeSampler):
    """A random sample of the candidates not bought: a ranker will have to tell just these from the bought ones."""

    n: Annotated[Count | None, Measured(_negatives)] = 30
    """Negatives sampled for each customer and training week (or for each article bought, see `a`); null takes all."""
    a: Literal["customer", "positive"] = "customer"
    """What gets n negatives: each customer, or each positive, which is a candidate that the customer bought."""

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        if self.n is None:
            return week.recalled
        shuffled = week.recalled.with_columns(draw=scattered(["customer", "article"], week.seed))
        if self.a == "customer":
            return top_n(shuffled, self.n, by="customer", score="draw").select("customer", "article")
        wanted = week.bought.group_by("customer").agg(wanted=pl.len().cast(pl.Int64) * self.n)
        numbered = ranked(shuffled, by="customer", score="draw").join(wanted, on="customer")
        return numbered.filter(pl.col("rank") <= pl.col("wanted")).select("customer", "article")
