"""Other articles of the categories that the customer bought in the week: only taste sets them apart.

One of the two ways in which a public H&M system sampled its negatives; `bought_by_others` is the other.
"""

import polars as pl

from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_negatives, times
from hmgpu.parts.part import Category, Count


class SameCategory(NegativeSampler):
    """Random articles on sale in the category of each candidate that the customer bought."""

    n: Count = 2
    """Negatives sampled for each candidate that the customer bought."""
    by: Category = "product_type"
    """What a category is: any code column of the articles."""
    days: Count = 28
    """Days before the week in which an article must have sold to be sampled."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        categories = week.history.articles.select("article", category=pl.col(self.by)).drop_nulls()
        pool = week.history.on_sale(self.days).join(categories, on="article")
        # The turn is different for each bought article: two articles of one category must not get the same sample.
        asked = times(week.bought.join(categories, on="article"), self.n).with_columns(
            turn=pl.col("turn") + self.n * pl.col("article").cast(pl.Int64)
        )
        return draw_negatives(asked.select("customer", "category", "turn"), pool, "category", week.seed).select(
            "customer", "article"
        )
