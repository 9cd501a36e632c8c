"""Other articles of the kind that the customer bought: only taste tells them from what he took."""

import polars as pl
from pydantic import field_validator

from hmgpu.data.tables import names
from hmgpu.negatives import Negatives, Teaching, drawn, times
from hmgpu.parts import Count

CATEGORIES = tuple(names("articles", ["code"]))


class SameCategory(Negatives):
    """For each article bought, random ones on sale in its category."""

    n: Count = 2
    """Articles for each one bought."""
    by: str = "product_type"
    """The category: any code column of the articles."""
    days: Count = 28
    """How far back an article must have sold."""

    @field_validator("by")
    @classmethod
    def _is_category(cls, by: str) -> str:
        if by not in CATEGORIES:
            raise ValueError(f"'{by}' is no category of articles; there are {', '.join(CATEGORIES)}")
        return by

    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def draw(self, week: Teaching) -> pl.LazyFrame:
        categories = week.history.articles.select("article", category=pl.col(self.by)).drop_nulls()
        pool = week.history.on_sale(self.days).join(categories, on="article")
        # A customer's draws are numbered through, so that two articles of one category don't draw alike.
        asked = times(week.bought.join(categories, on="article"), self.n).with_columns(
            turn=pl.col("turn") + self.n * pl.col("article")
        )
        return drawn(asked.select("customer", "category", "turn"), pool, "category", week.seed).select(
            "customer", "article"
        )
