"""The common base of parts that put customers and articles into one space of vectors."""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import top_n
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Retriever

LATEST_DAYS = 91
"""Days before the cutoff from which a customer's latest articles are taken."""


class Embedding(Retriever, Feature):
    """The nearest articles on sale; as a feature, how near each candidate of any retriever is.

    `learn` returns `articles` (article, `v…` int16, on_sale int8) among its tables, `learn_customers` returns
    `customers` (customer, `v…` int16); see `core.vectors.quantised`.
    """

    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed."""

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"torch"})

    def marked(self, vectors: pl.LazyFrame, history: History) -> pl.LazyFrame:
        """Add `on_sale` int8 to `vectors` (article, …): whether the article may be proposed."""
        selling = history.on_sale(self.on_sale).with_columns(on_sale=pl.lit(1, dtype=pl.Int8))
        known = vectors.join(selling, on="article", how="left", maintain_order="left")
        return known.with_columns(pl.col("on_sale").fill_null(0))

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        from hmgpu.parts.models.neural.topk import nearest  # torch takes seconds to load

        engine = self.context.engine
        asked = engine.collect(learned["customers"].join(customers, on="customer", how="semi"))
        selling = engine.collect(learned["articles"].filter(pl.col("on_sale") == 1))
        return nearest(asked.sort("customer"), selling, self.n, engine).lazy()

    def near(self, learned: Learned, pairs: pl.LazyFrame, name: str) -> pl.LazyFrame:
        """Return (customer, article, `name` float32: the dot product) of `pairs`, null if one has no vector."""
        from hmgpu.parts.models.neural.topk import dots

        engine = self.context.engine
        keys = engine.collect(pairs.select("customer", "article"), fits=True)
        products = dots(keys, engine.collect(learned["customers"]), engine.collect(learned["articles"]), engine)
        return keys.lazy().with_columns(products.alias(name))

    def near_and_place(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Return (customer, article, `<kind>_dot` float32, `<kind>_place` int32) of `pairs`, sorted as those are.

        A pair's place is its rank by the dot product among all of the customer's. Equal products are ranked in the
        order of rows, so ties break on the article; a pair without vectors is last.
        """
        dot = f"{self.kind}_dot"
        known = pl.col(dot).fill_null(float("-inf"))
        place = known.rank("ordinal", descending=True).over("customer").cast(pl.Int32)
        return self.near(learned, pairs, dot).with_columns(place.alias(f"{self.kind}_place"))


class EmbeddingWithLatest(Embedding):
    """An `Embedding` that also compares candidates with the customer's latest articles, one by one."""

    latest: Annotated[int, Field(ge=0)] = 0
    """Latest articles of a customer that each candidate is compared with one by one; the highest similarity becomes a
    column. 0 leaves the column out."""

    def bought_latest(self, learned: Learned, audience: History, days: int = LATEST_DAYS) -> Learned:
        """Return `latest` (customer, article, rank int32): the articles with a vector that each customer bought last.

        Only purchases of the last `days` days count. Returns no table if the setting `latest` is 0.
        """
        if not self.latest:
            return {}
        known = learned["articles"].select("article")
        bought = audience.last(days).join(known, on="article", how="semi")
        last = bought.group_by("customer", "article").agg(day=pl.col("day").max())
        return {"latest": top_n(last, self.latest, by="customer", score="day").drop("day")}

    def with_latest(self, described: pl.LazyFrame, learned: Learned, name: str) -> pl.LazyFrame:
        """Add `name` float32 to `described` (customer, article, …), unless the setting `latest` is 0.

        It is the largest product of the candidate's vector with the vector of one of the customer's latest articles,
        null if there are none.
        """
        from hmgpu.parts.models.neural.topk import dots

        if not self.latest:
            return described
        engine = self.context.engine
        rows = engine.collect(described, fits=True)
        articles = engine.collect(learned["articles"].drop("on_sale").sort("article"))
        products = []
        for place in range(1, self.latest + 1):
            one = learned["latest"].filter(pl.col("rank") == place).select("customer", "article")
            vectors = engine.collect(one.join(articles.lazy(), on="article").drop("article"))
            products.append(dots(rows.select("customer", "article"), vectors, articles, engine))
        return rows.with_columns(pl.select(pl.max_horizontal(products)).to_series().alias(name)).lazy()
