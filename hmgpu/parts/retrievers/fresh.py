"""New articles that hardly anybody has bought yet, for the customers whom their content suits.

What others buy says nothing of them. So a student learns from the articles that sold, from codes, words and vectors of
pictures, where in a space of purchases an article lies (see `models/space/student.py`); it places the new ones there,
and customers where the articles lie that they bought. Only where the shop says when articles are launched
(`data.columns.articles.launched`) are there any that nobody has bought.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.parts.models.space.embedding import marked
from hmgpu.parts.models.space.embedding_mean import EmbeddingMean
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates
from hmgpu.parts.retrievers.als import ALS

WORDS = 64
"""Length of the vectors that texts and pictures are reduced to."""


class Fresh(EmbeddingMean):
    """New articles nearest to the mean of the customer's; as a feature, how near each candidate is by content."""

    space: Literal["als", "buyers"] = "als"
    """The space in which articles lie near each other. als: the vectors of the retriever `als`; buyers: coordinates by
    which customers buy them, a correspondence analysis."""
    days: Count = 90
    """Days before the cutoff whose purchases make the space."""
    dimensions: Annotated[int, Field(ge=2)] = 32
    """Length of the vectors."""
    l2: Annotated[float, Field(gt=0)] = 10.0
    """Penalty on large coefficients of the student; more of it trusts single codes and words less."""
    taste_days: Count = 364
    """Days before the cutoff whose purchases by a customer count for their mean."""
    half_life: Annotated[float, Field(gt=0)] = 180.0
    """Days after which a purchase counts half as much."""
    on_sale: Count = 28
    """Only articles that came on sale in this many days before the cutoff are proposed."""
    sold: Annotated[int, Field(ge=0)] = 5
    """Only articles that were sold at most so many times are proposed; others' purchases say more of the rest."""
    patience: Annotated[float, Field(gt=0)] = 7.0
    """Days on sale after which the score of an article that hardly sells is halved."""
    n: Candidates = 24

    def needs(self) -> frozenset[str]:
        return frozenset({"product_type"})

    def uses_vectors(self) -> frozenset[VectorsOf]:
        return frozenset({"pictures", "text"})

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | (frozenset({"implicit"}) if self.space == "als" else frozenset())

    def vectors(self, history: History) -> pl.DataFrame:
        """Return the vectors of all articles, each by its content; the longest has length 1."""
        from hmgpu.parts.models.space.clusters import by_buyers
        from hmgpu.parts.models.space.student import placed

        engine = self.context.engine
        if self.space == "als":
            learned = ALS(factors=self.dimensions, days=self.days).bind(self.context).learn(history)
            taught = engine.collect(learned["articles"].drop("on_sale"))
        else:
            taught = by_buyers(history, self.days, self.dimensions, self.context.seed, engine)
        units = engine.collect(history.last(self.days).group_by("article").agg(units=pl.len()))
        return placed(history, taught, units, WORDS, self.l2, engine)

    def learn(self, history: History) -> Learned:
        """Return `articles` (article, `v…` int16, on_sale int8) and `fresh` (article, `v…` int16).

        `fresh` has those that are proposed, with shorter vectors the longer they have been on sale.
        """
        import torch

        from hmgpu.core.vectors import STEPS, quantised
        from hmgpu.parts.models.space.topk import vectors_of

        engine = self.context.engine
        vectors = self.vectors(history)
        new = engine.collect(self._new(history)).join(vectors, on="article").sort("article")
        share = torch.from_numpy(0.5 ** (new["age"].to_numpy() / self.patience))
        shorter = vectors_of(new, Engine("cpu", "vectors")).double() / STEPS * share[:, None]
        return {
            "articles": marked(vectors.lazy(), new.lazy().select("article")),
            "fresh": quantised(torch.from_numpy(new["article"].to_numpy().copy()), shorter, "article").lazy(),
        }

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        from hmgpu.parts.models.space.topk import nearest

        engine = self.context.engine
        asked = engine.collect(learned["customers"].join(customers, on="customer", how="semi").sort("customer"))
        return nearest(asked, engine.collect(learned["fresh"]), self.n, engine).lazy()

    def _new(self, history: History) -> pl.LazyFrame:
        """Return (article, age: days on sale) of those that are proposed."""
        units = history.last(self.on_sale).group_by("article").agg(units=pl.len())
        age = history.cutoff - pl.col("first_day")
        known = history.articles.select("article", age=age).filter(pl.col("age") <= self.on_sale)
        rare = known.join(units, on="article", how="left").filter(pl.col("units").fill_null(0) <= self.sold)
        return rare.select("article", "age")

    def reason(self) -> str:
        return "new, and like what you buy"
