"""The customer's age compared with the age of the article's buyers.

Public solutions of the H&M competition have the mean age of the buyers, and how far the customer's own is from it.
"""

import polars as pl

from hmgpu.core.plans import deviation
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned

AGE = pl.col("age").cast(pl.Int64)


class BuyerAge(Feature):
    """Mean and standard deviation of the buyers' ages, and the customer's distance from the mean, in years."""

    days: Count = 91
    """Days before the cutoff whose buyers count."""

    def needs(self) -> frozenset[str]:
        return frozenset({"age"})

    def learn(self, history: History) -> Learned:
        ages = history.customers.select("customer", AGE).drop_nulls()
        bought = history.last(self.days).select("customer", "article").join(ages, on="customer")
        moments = bought.group_by("article").agg(units=pl.len(), total=AGE.sum(), squares=(AGE * AGE).sum())
        buyers = moments.select(
            "article",
            buyer_age=(pl.col("total") / pl.col("units")).cast(pl.Float32),
            buyer_age_deviation=deviation("units", "total", "squares").cast(pl.Float32),
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
