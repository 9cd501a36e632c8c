"""Articles that are on sale and that hardly anybody buys.

A public H&M system sampled the lowest-performing articles as negatives.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import ranked
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_for_each
from hmgpu.parts.part import Count


class WorstSellers(NegativeSampler):
    """A random sample of the articles that sold least before the week, among those that sold at all."""

    n: Count = 5
    """Negatives sampled for each customer and training week."""
    days: Count = 28
    """Days before the week whose sales count."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Share of the articles that count as worst sellers: 0.2 samples from the fifth that sold least; at least one."""

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        sales = week.history.last(self.days).group_by("article").agg(sales=-pl.len().cast(pl.Int64))
        worst_first = ranked(sales, by=(), score="sales")
        counted = worst_first.join(worst_first.select(most=pl.len().cast(pl.Float64) * self.share), how="cross")
        worst = counted.filter((pl.col("rank") - 1).cast(pl.Float64) < pl.col("most"))
        return draw_for_each(week.customers, self.n, worst.select("article"), week.seed)
