"""What an article costs now, against what it used to cost: markdowns.

Public solutions of the H&M competition have the price now against the usual one.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned


class ArticlePrice(Feature):
    """Price of each article in price units, and its discount."""

    recent: Count = 14
    """Days back that count as now."""
    days: Count = 364
    """Days back that the usual price is taken from."""

    def needs(self) -> frozenset[str]:
        return frozenset({"price"})

    def learn(self, history: History) -> Learned:
        price = pl.col("price").cast(pl.Int64)
        paid = history.last(self.days).group_by("article").agg(usual=price.sum() / pl.len(), full=price.max())
        now = history.last(self.recent).group_by("article").agg(now=price.sum() / pl.len())
        return {
            "prices": paid.join(now, on="article", how="left").select(
                "article",
                article_price=pl.col("usual").cast(pl.Float32),
                article_price_now=pl.col("now").cast(pl.Float32),
                article_discount=(pl.col("now") / pl.col("usual")).cast(pl.Float32),
                article_markdown=(pl.col("now") / pl.col("full")).cast(pl.Float32),
            )
        }

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["prices"]
