"""An article's stage of life, from its best week to sold out.

After the model of stock and lifetime in a public solution of the H&M competition; `demand` has that model's forecast.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned

RECENT, USUAL = 3, 28  # days


class Lifetime(Feature):
    """The article's best week, how long ago it was, last week's sales against it, and the last days' against usual."""

    days: Count = 364
    """Days before the cutoff in which the best week is looked for."""

    def learn(self, history: History) -> Learned:
        age = history.cutoff - 1 - pl.col("day")
        units = pl.len().cast(pl.Int32)
        weekly = history.last(self.days).group_by("article", ago=age // DAYS).agg(units=units)
        best = weekly.group_by("article").agg(life_peak=pl.col("units").max(), life_weeks=units)
        peaks = weekly.join(best, on="article").filter(pl.col("units") == pl.col("life_peak"))
        since = peaks.group_by("article").agg(life_weeks_since_peak=pl.col("ago").min())
        lately = (
            history.last(USUAL)
            .group_by("article")
            .agg(
                week=(age < DAYS).sum().cast(pl.Int32),
                recent=(age < RECENT).sum().cast(pl.Int32),
                usual=units,
                quiet=age.min(),
                days=pl.col("day").n_unique().cast(pl.Int32),
            )
        )
        born = history.articles.select("article", offered=history.cutoff - pl.col("first_day"))
        # Days on which the article could have been sold.
        offered = pl.when(pl.col("offered") < USUAL).then(pl.col("offered")).otherwise(USUAL)
        rate = pl.col("usual") / offered
        stage = best.join(since, on="article").join(lately.join(born, on="article"), on="article", how="left")
        return {
            "stage": stage.select(
                "article",
                "life_peak",
                "life_weeks",
                "life_weeks_since_peak",
                life_share_of_peak=(pl.col("week") / pl.col("life_peak")).cast(pl.Float32),
                # Units that it would usually have sold since its last sale: many mean that it is sold out.
                life_missed=(pl.col("quiet") * rate).cast(pl.Float32),
                life_recent_against_usual=(pl.col("recent") / (RECENT * rate)).cast(pl.Float32),
                life_days_sold=(pl.col("days") / offered).cast(pl.Float32),
            )
        }

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["stage"]
