"""How an article sells: units by window, trend, age, buyers, and the share of buyers who came back for it.

As public solutions of the H&M competition describe articles. The trend is (b - a) / (a + 1), where b is last week's
units and a the units of the week before.
"""

import polars as pl

from hmgpu.core.plans import packed, unpacked
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Windows


class ArticleSales(Feature):
    """Sales of each article."""

    windows: Windows = (1, 3, 7, 14, 28, 91, 364)
    """Days before the cutoff: units sold in each of these windows become a column; buyers and those who came back are
    counted in the longest."""

    def learn(self, history: History) -> Learned:
        age = history.cutoff - pl.col("day")
        longest = history.last(max(*self.windows, 14))
        counts = longest.group_by("article").agg(
            *((age <= days).sum().cast(pl.Int32).alias(f"article_units_{days}") for days in self.windows),
            this_week=(age <= 7).sum().cast(pl.Int32),
            week_before=(age.is_between(8, 14)).sum().cast(pl.Int32),
            article_days_since_sale=age.min(),
            units=pl.len().cast(pl.Int32),
        )
        buyers = longest.select("day", pair=packed("article", "customer")).group_by("pair")
        # A customer came back if they bought the same article again on another day.
        came_back = buyers.agg(again=pl.col("day").max() > pl.col("day").min())
        returned = (
            came_back.select(*unpacked("pair", "article", "customer"), "again")
            .group_by("article")
            .agg(article_buyers=pl.len().cast(pl.Int32), returned=pl.col("again").sum().cast(pl.Int32))
        )
        born = history.articles.select("article", article_age=history.cutoff - pl.col("first_day"))
        before, now = pl.col("week_before"), pl.col("this_week")
        return {
            "sales": counts.join(returned, on="article")
            .join(born, on="article")
            .with_columns(
                article_trend=((now - before) / (before + 1)).cast(pl.Float32),
                article_returned=(pl.col("returned") / pl.col("article_buyers")).cast(pl.Float32),
                article_units_a_buyer=(pl.col("units") / pl.col("article_buyers")).cast(pl.Float32),
            )
            .drop("this_week", "week_before", "returned", "units")
        }

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["sales"]
