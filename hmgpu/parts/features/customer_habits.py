"""How a customer shops: how often, how lately, how much, in which channel, and at which prices.

As public solutions of the H&M competition describe customers: frequency, gaps, spend, price level and channel share.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Windows


class CustomerHabits(Feature):
    """Units by window, gaps between shopping days, channel and prices of each customer."""

    windows: Windows = (7, 28, 91, 364)
    """Days before the cutoff: units bought in each of these windows become a column."""

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        age = audience.cutoff - pl.col("day")
        facts = [
            *((age <= days).sum().cast(pl.Int32).alias(f"customer_units_{days}") for days in self.windows),
            pl.len().cast(pl.Int32).alias("customer_units"),
            pl.col("article").n_unique().cast(pl.Int32).alias("customer_articles"),
            pl.col("day").n_unique().cast(pl.Int32).alias("customer_days"),
            age.min().alias("customer_days_since"),
            age.max().alias("customer_tenure"),
        ]
        if audience.has("price"):
            price = pl.col("price").cast(pl.Int64)
            facts.append((price.sum() / pl.len()).cast(pl.Float32).alias("customer_price"))
            facts.append(price.max().cast(pl.Float32).alias("customer_price_max"))
        if audience.has("channel"):
            first = (pl.col("channel") == 0).sum()
            facts.append((first / pl.len()).cast(pl.Float32).alias("customer_first_channel"))
        spread = pl.col("customer_tenure") - pl.col("customer_days_since")
        return {
            "habits": audience.transactions.group_by("customer")
            .agg(*facts)
            .with_columns(
                customer_basket=(pl.col("customer_units") / pl.col("customer_days")).cast(pl.Float32),
                customer_gap=pl.when(pl.col("customer_days") > 1)
                .then(spread / (pl.col("customer_days") - 1))
                .cast(pl.Float32),
                customer_repeats=(1 - pl.col("customer_articles") / pl.col("customer_units")).cast(pl.Float32),
            )
        }

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["habits"]
