"""The customer's own candidates: what retrieval thought he might buy and he did not.

As in public solutions of the H&M competition, which drew 30 to each positive, and left out customers none of whose
candidates was bought.
"""

from typing import Literal

import polars as pl

from hmgpu.core.plans import ranked, scattered, top_n
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek
from hmgpu.parts.part import Count


class Recalled(NegativeSampler):
    """Some of the candidates, drawn at random. They are what a ranker will have to tell from the bought ones."""

    n: Count | None = 30
    """Articles; null takes all."""
    a: Literal["customer", "positive"] = "customer"
    """Whether n are drawn for each customer, or for each article that the customer bought."""

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        if self.n is None:
            return week.recalled
        shuffled = week.recalled.with_columns(draw=scattered(["customer", "article"], week.seed))
        if self.a == "customer":
            return top_n(shuffled, self.n, by="customer", score="draw").select("customer", "article")
        wanted = week.bought.group_by("customer").agg(wanted=pl.len().cast(pl.Int64) * self.n)
        numbered = ranked(shuffled, by="customer", score="draw").join(wanted, on="customer")
        return numbered.filter(pl.col("rank") <= pl.col("wanted")).select("customer", "article")
