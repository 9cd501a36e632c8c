"""Other colours and variants of the products that the customer bought.

As public solutions of the H&M competition did by `product_code`, which articles of the same cut in different colours
share.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import decayed, top_n
from hmgpu.data.store import History
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever


class SameProduct(Retriever):
    """Articles on sale of the products that the customer bought, without the articles that they already have."""

    days: Count = 182
    """Days before the cutoff whose purchases by the customer count."""
    half_life: Annotated[float, Field(gt=0)] = 21.0
    """Days after which a purchase counts half as much."""
    on_sale: Count = 14
    """An article is on sale if it sold in this many days before the cutoff."""
    variants: Count = 6
    """Best-selling articles of each product that can be proposed; fewer save memory."""
    n: Candidates = 20

    def needs(self) -> frozenset[str]:
        return frozenset({"product"})

    def learn(self, history: History) -> Learned:
        products = history.articles.select("article", "product").drop_nulls()
        sold = history.last(self.on_sale).group_by("article").agg(sales=pl.len().cast(pl.Int64))
        variants = top_n(sold.join(products, on="article"), self.variants, by="product", score="sales").drop("rank")
        return {"variants": variants}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        products = audience.articles.select("article", "product").drop_nulls()
        bought = audience.last(self.days).select("customer", "article", "day").join(products, on="article")
        weight = decayed(audience.cutoff, self.half_life, self.days)
        liked = bought.group_by("customer", "product").agg(weight=weight.sum())
        owned = bought.select("customer", "article").unique()
        # A square root tempers the sales: which product the customer likes matters more than which colour sells.
        score = pl.col("weight").cast(pl.Float64) * pl.col("sales").cast(pl.Float64).sqrt()
        offered = liked.join(learned["variants"], on="product").join(owned, on=["customer", "article"], how="anti")
        scored = offered.select("customer", "article", score=score)
        return {"offered": top_n(scored, self.n, by="customer")}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return learned["offered"].join(customers, on="customer", how="semi")

    def reason(self) -> str:
        return "another version of your {because}"

    def because(self, learned: Learned, pairs: pl.LazyFrame, audience: History) -> pl.LazyFrame:
        products = audience.articles.select("article", "product").drop_nulls()
        own = audience.last(self.days).select("customer", "article", "day").join(products, on="article")
        own = own.select("customer", "product", "day", because="article")
        led = pairs.join(products, on="article").join(own, on=["customer", "product"])
        return top_n(led, 1, by=KEYS, score="day", tie="because").select(*KEYS, "because")
