"""How an article's price compares with what the customer usually pays.

Public solutions of the H&M competition grouped customers by the prices that they pay ("purchase ability"); here the
candidate's price is compared with them, in standard deviations of the customer's own prices.
"""

import polars as pl

from hmgpu.core.plans import mean_and_deviation, ratio
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned


class PriceFit(Feature):
    """The article's price compared with the mean and the standard deviation of the prices that the customer paid."""

    days: Count = 364
    """Days before the cutoff whose purchases count."""

    def needs(self) -> frozenset[str]:
        return frozenset({"price"})

    def learn(self, history: History) -> Learned:
        articles = (
            history.last(self.days).group_by("article").agg(price=pl.col("price").cast(pl.Int64).sum() / pl.len())
        )
        return {"articles": articles}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        paid = mean_and_deviation(audience.last(self.days), "customer", "price")
        return {"customers": paid.rename({"mean": "usual"})}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        keys = pairs.select("customer", "article")
        both = keys.join(learned["customers"], on="customer", how="left", maintain_order="left")
        compared = both.join(learned["articles"], on="article", how="left", maintain_order="left")
        return compared.select(
            "customer",
            "article",
            price_against_usual=ratio(pl.col("price"), pl.col("usual")).cast(pl.Float32),
            price_deviation=((pl.col("price") - pl.col("usual")) / (pl.col("deviation") + 1.0)).cast(pl.Float32),
        )
