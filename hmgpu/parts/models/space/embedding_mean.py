"""The common base of parts whose vector of a customer is the mean of the articles that they bought."""

from abc import abstractmethod
from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.space.bought import matrix, weighted
from hmgpu.parts.models.space.embedding import EmbeddingWithLatest
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates


class EmbeddingMean(EmbeddingWithLatest):
    """The articles nearest to the mean of those that a customer bought lately.

    Such parts differ only in the vectors of articles. These don't depend on single customers, so that new customers get
    a mean like everybody else.
    """

    taste_days: Count = 91
    """Days before the cutoff whose purchases by a customer count for their mean."""
    half_life: Annotated[float, Field(gt=0)] = 14.0
    """Days after which a purchase counts half as much."""
    latest: Annotated[int, Field(ge=0)] = 3
    """Latest articles of a customer that each candidate is compared with one by one; the highest similarity becomes a
    column. 0 leaves the column out."""
    on_sale: Count = 14
    """Only articles that sold in this many days before the cutoff are proposed; older ones only get the feature."""
    n: Candidates = 40

    @abstractmethod
    def vectors(self, history: History) -> pl.DataFrame:
        """Return vectors (article, `v…` int16) of length 1 or less; see `core.vectors.quantised`."""

    @property
    def name(self) -> str:
        """The prefix of its columns."""
        return self.kind

    def learn(self, history: History) -> Learned:
        """Return `articles`: (article, `v…` int16, on_sale int8)."""
        return {"articles": self.marked(self.vectors(history).lazy(), history)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `customers` (customer, `v…` int16) of length 1 and `latest` (customer, article, rank int32).

        Both have the customers who bought an article with a vector in these days.
        """
        import torch

        from hmgpu.core.vectors import quantised

        engine = self.context.engine
        articles = engine.collect(learned["articles"].drop("on_sale").sort("article"))
        known = articles.lazy().select("article")
        weights = weighted(audience, self.taste_days, self.half_life).join(known, on="article", how="semi")
        bought = engine.collect(weights.sort("customer", "article"))
        # Products of whole numbers below 2^11 and steps of 2^-31: exact in float64 up to 2^11 purchases of today. scipy
        # adds up longer sums in the order of the rows, which are sorted.
        # Polars would forget the number of rows of a table without columns.
        vectors = articles.drop("article").to_numpy().reshape(articles.height, articles.width - 1)
        means = matrix(bought, articles["article"]).astype("float64") @ vectors
        own = torch.nn.functional.normalize(torch.from_numpy(means), dim=1)
        customers = bought["customer"].unique().sort()
        found = quantised(torch.from_numpy(customers.to_numpy().copy()), own, "customer").lazy()
        return {"customers": found} | self.bought_latest(learned, audience, self.taste_days)

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Compute `…_dot` and `…_latest`, both float32, null if the customer or the candidate has no vector.

        `…_dot` is the product of the candidate's vector with the customer's, `…_latest` the largest product with the
        vector of one of the customer's latest articles.
        """
        near = self.near(learned, pairs, f"{self.name}_dot")
        return self.with_latest(near, learned, f"{self.name}_latest")
