"""The customer's age compared with the age of the article's buyers.

Public solutions of the H&M competition have the mean age of the buyers, and how far the customer's own is from it.
"""

import polars as pl

from hmgpu.core.plans import mean_and_deviation
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned


class BuyerAge(Feature):
    """Mean and standard deviation of the buyers' ages, and the customer's distance from the mean, in years."""

    days: Count = 91
    """Days before the cutoff whose buyers count."""

    def needs(self) -> frozenset[str]:
        return frozenset({"age"})

    def learn(self, history: History) -> Learned:
        ages = history.customers.select("customer", "age").drop_nulls()
        bought = history.last(self.days).select("customer", "article").join(ages, on="customer")
        buyers = mean_and_deviation(bought, "article", "age").select(
            "article",
            buyer_age=pl.col("mean").cast(pl.Float32),
            buyer_age_deviation=pl.col("deviation").cast(pl.Float32),
        )
        return {"buyers": buyers}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        return {"ages": audience.customers.select("customer", pl.col("age").cast(pl.Float32)).drop_nulls()}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        keys = pairs.select("customer", "article")
        both = keys.join(learned["buyers"], on="article", how="left", maintain_order="left")
        distance = (pl.col("age") - pl.col("buyer_age")).abs()
        return both.join(learned["ages"], on="customer", how="left", maintain_order="left").select(
            "customer", "article", "buyer_age", "buyer_age_deviation", buyer_age_distance=distance
        )
