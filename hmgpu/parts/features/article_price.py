"""An article's price now, compared with its usual and its highest price.

Public solutions of the H&M competition compare the price now with the usual one.
"""

import polars as pl

from hmgpu.core.plans import ratio
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned


class ArticlePrice(Feature):
    """Price of each article in price units, and its discount."""

    recent: Count = 14
    """Days before the cutoff whose mean price is the price now."""
    days: Count = 364
    """Days before the cutoff from which the usual (mean) and the highest price are taken."""

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
                article_discount=ratio(pl.col("now"), pl.col("usual")).cast(pl.Float32),
                article_markdown=ratio(pl.col("now"), pl.col("full")).cast(pl.Float32),
            )
        }

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["prices"]
