"""Other articles of the kind that the customer bought: only taste tells them from what he took.

One of the two ways in which a public H&M system drew its negatives; `bought_by_others` is the other.
"""

import polars as pl

from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_negatives, times
from hmgpu.parts.part import Category, Count


class SameCategory(NegativeSampler):
    """For each article bought, random ones on sale in its category."""

    n: Count = 2
    """Articles for each one bought."""
    by: Category = "product_type"
    """The category: any code column of the articles."""
    days: Count = 28
    """How far back an article must have sold."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        categories = week.history.articles.select("article", category=pl.col(self.by)).drop_nulls()
        pool = week.history.on_sale(self.days).join(categories, on="article")
        # A customer's draws are numbered through, so that two articles of one category don't draw alike.
        asked = times(week.bought.join(categories, on="article"), self.n).with_columns(
            turn=pl.col("turn") + self.n * pl.col("article")
        )
        return draw_negatives(asked.select("customer", "category", "turn"), pool, "category", week.seed).select(
            "customer", "article"
        )
