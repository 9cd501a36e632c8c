"""The common base of parts that put customers and articles into one space of vectors."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Protocol

import polars as pl
from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.core.plans import top_n
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Retriever

LATEST_DAYS = 91
"""Days before the cutoff from which a customer's latest articles are taken."""


Tables = Mapping[str, pl.DataFrame]
"""What was learned: `articles` (article, …, on_sale int8), `customers` (customer, …) and whatever else is needed."""


class Scorer(Protocol):
    """A way to score articles for customers by what was learned of both."""

    def best(self, tables: Tables, n: int, engine: Engine) -> pl.DataFrame:
        """Return the `n` best articles on sale of each customer: see `topk.search`."""

    def of(self, pairs: pl.DataFrame, tables: Tables, engine: Engine) -> pl.Series:
        """Return the float32 score of each of `pairs` (customer, article), sorted by customer; null if one is unknown.

        It is the score that `best` gives the pair.
        """


class Embedding(Retriever, Feature):
    """The nearest articles on sale; as a feature, how near each candidate of any retriever is.

    `learn` returns `articles` (article, `v…` int16, on_sale int8) among its tables, `learn_customers` returns
    `customers` (customer, `v…` int16); see `core.vectors.quantised`.
    """

    column: ClassVar[str] = "dot"
    """What the scores are, for the name of their column."""
    shared: ClassVar[tuple[str, ...]] = ("articles",)
    """The tables that scores are computed from, besides `customers`."""

    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed."""

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"torch"})

    def scorer(self) -> Scorer:
        """Return the way that articles are scored for customers: by the dot product of their vectors."""
        from hmgpu.parts.models.space.topk import DotProducts  # torch takes seconds to load

        return DotProducts()

    def marked(self, vectors: pl.LazyFrame, history: History) -> pl.LazyFrame:
        """Add `on_sale` int8 to `vectors` (article, …): whether the article may be proposed."""
        return marked(vectors, history.on_sale(self.on_sale))

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        asked = learned["customers"].join(customers, on="customer", how="semi")
        tables = self._collected(learned) | {"customers": self.context.engine.collect(asked).sort("customer")}
        return self.scorer().best(tables, self.n, self.context.engine).lazy()

    def reason(self) -> str:
        return "like what you buy"

    def near(self, learned: Learned, pairs: pl.LazyFrame, name: str) -> pl.LazyFrame:
        """Return (customer, article, `name` float32: the score) of `pairs`, null if one of them is unknown."""
        engine = self.context.engine
        keys = engine.collect(pairs.select("customer", "article"), fits=True)
        tables = self._collected(learned) | {"customers": engine.collect(learned["customers"])}
        return keys.lazy().with_columns(self.scorer().of(keys, tables, engine).alias(name))

    def near_and_place(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Return (customer, article, `<kind>_dot` float32, `<kind>_place` int32) of `pairs`, sorted as those are.

        A pair's place is its rank by the score among all of the customer's. Equal scores are ranked in the order of
        rows, so ties break on the article; a pair without a score is last.
        """
        score = f"{self.kind}_{self.column}"
        known = pl.col(score).fill_null(float("-inf"))
        place = known.rank("ordinal", descending=True).over("customer").cast(pl.Int32)
        return self.near(learned, pairs, score).with_columns(place.alias(f"{self.kind}_place"))

    def _collected(self, learned: Learned) -> dict[str, pl.DataFrame]:
        """Return the tables that are learned for everybody."""
        engine = self.context.engine
        return {name: engine.collect(learned[name]) for name in self.shared}


def marked(vectors: pl.LazyFrame, selling: pl.LazyFrame) -> pl.LazyFrame:
    """Add `on_sale` int8 to `vectors` (article, …): whether the article is one of `selling` (article)."""
    known = vectors.join(
        selling.with_columns(on_sale=pl.lit(1, dtype=pl.Int8)), on="article", how="left", maintain_order="left"
    )
    return known.with_columns(pl.col("on_sale").fill_null(0))


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
        from hmgpu.parts.models.space.topk import dots

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
