"""What parts share for which a customer is the mean of the articles that he bought."""

from abc import abstractmethod
from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.neural.bought import matrix, weighted
from hmgpu.parts.models.neural.embedding import EmbeddingWithLatest
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates


class EmbeddingMean(EmbeddingWithLatest):
    """The articles nearest to the mean of those that a customer bought lately.

    Two such parts differ in their articles' vectors alone. Since they depend on no single customer, new customers get
    their mean like all others.
    """

    taste_days: Count = 91
    """How far back a customer's purchases count."""
    half_life: Annotated[float, Field(gt=0)] = 14.0
    """Days in which the weight of a purchase halves."""
    latest: Annotated[int, Field(ge=0)] = 3
    """Latest articles of a customer that a candidate is compared with one by one; 0: none, and no column says it."""
    on_sale: Count = 14
    """Only articles sold in this many days before the cutoff are retrieved; others only have a vector."""
    n: Candidates = 40

    @abstractmethod
    def vectors(self, history: History) -> pl.DataFrame:
        """(article, `v…` int16) of length 1 or less; see `core.vectors.quantised`."""

    @property
    def name(self) -> str:
        """What its columns begin with."""
        return self.kind

    def learn(self, history: History) -> Learned:
        """`articles`: (article, `v…` int16, on_sale int8)."""
        return {"articles": self.marked(self.vectors(history).lazy(), history)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """`customers`: (customer, `v…` int16) of length 1, `latest`: (customer, article, rank int32), of those who
        bought an article with a vector in these days."""
        import torch

        from hmgpu.core.vectors import quantised

        engine = self.context.engine
        articles = engine.collect(learned["articles"].drop("on_sale").sort("article"))
        known = articles.lazy().select("article")
        weights = weighted(audience, self.taste_days, self.half_life).join(known, on="article", how="semi")
        bought = engine.collect(weights.sort("customer", "article"))
        # Whole numbers and multiples of 2^-20: in float64 their sums are exact, whatever the order.
        means = matrix(bought, articles["article"]).astype("float64") @ articles.drop("article").to_numpy()
        own = torch.nn.functional.normalize(torch.from_numpy(means), dim=1)
        customers = bought["customer"].unique().sort()
        found = quantised(torch.from_numpy(customers.to_numpy().copy()), own, "customer").lazy()
        return {"customers": found} | self.bought_latest(learned, audience, self.taste_days)

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """`…_dot` float32: product of the candidate's vector and the customer's; `…_latest` float32: the largest one
        with the vector of one of his latest articles. Null where the customer or the candidate has no vector.
        """
        near = self.near(learned, pairs, f"{self.name}_dot")
        return self.with_latest(near, learned, f"{self.name}_latest")
