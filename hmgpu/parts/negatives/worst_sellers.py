"""What is on sale and hardly anybody wants.

A public H&M system drew the lowest-performing articles as negatives.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import ranked
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_for_each
from hmgpu.parts.part import Count


class WorstSellers(NegativeSampler):
    """Articles that sold least of those on sale before the week, drawn at random."""

    n: Count = 5
    """Articles a customer."""
    days: Count = 28
    """How far back sales count."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Share of the articles that are drawn from, those that sold least; at least one."""

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        sales = week.history.last(self.days).group_by("article").agg(sales=-pl.len().cast(pl.Int64))
        worst_first = ranked(sales, by=(), score="sales")
        counted = worst_first.join(worst_first.select(most=pl.len().cast(pl.Float64) * self.share), how="cross")
        worst = counted.filter((pl.col("rank") - 1).cast(pl.Float64) < pl.col("most"))
        return draw_for_each(week.customers, self.n, worst.select("article"), week.seed)
