"""How an article sells: by window, against the week before, since when, and to how many.

As public solutions of the H&M competition describe articles: units by window, age since the first sale, unique buyers,
how many came back for it, and the trend, (b - a) / (a + 1), of a week's units a and those of the next, b.
"""

import polars as pl

from hmgpu.core.plans import packed, unpacked
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Windows


class ArticleSales(Feature):
    """Sales of each article."""

    windows: Windows = (1, 3, 7, 14, 28, 91, 364)
    """Days back that units are counted in; buyers and returns are counted in the longest."""

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
        # A customer who came back for the same article on another day.
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
