"""Bayesian personalised ranking: vectors that rank what a customer bought above what they did not.

Rendle et al. 2009 ("BPR: Bayesian Personalized Ranking from Implicit Feedback"), fitted by the library implicit
on the CPU, by torch on a GPU. As a feature it lifted the third place of the H&M competition. The fitted customer
vectors are dropped: the mean of the vectors of a customer's articles has a better recall, and doesn't depend on other
customers.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.space.bought import matrix, weighted
from hmgpu.parts.models.space.embedding_mean import EmbeddingMean
from hmgpu.parts.part import Count


class BPR(EmbeddingMean):
    """Articles nearest to the mean of the customer's latest; as a feature, how near each candidate is to it."""

    days: Count = 60
    """Days before the cutoff whose purchases the vectors are learned from."""
    factors: Count = 64
    """Length of the vectors; longer ones hold finer tastes, need more purchases and more time."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    """Step size of stochastic gradient descent; a smaller one needs more iterations."""
    l2: Annotated[float, Field(ge=0)] = 0.0001
    """Penalty on large numbers in the vectors; more fits the purchases less closely and overfits less."""
    iterations: Count = 50
    """Passes, in each of which as many purchases are sampled as there are in the data."""

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"implicit"}

    def vectors(self, history: History) -> pl.DataFrame:
        """Return the vectors of all articles that sold in these days; the longest has length 1.

        The two engines sample different pairs, so their vectors differ as those of two seeds do.
        """
        import torch

        from hmgpu.core.vectors import quantised, shortened
        from hmgpu.parts.models.factors import bpr, by_implicit

        engine = self.context.engine
        bought = engine.collect(weighted(history, self.days, self.half_life).sort("customer", "article"))
        articles = bought["article"].unique().sort()
        found = torch.empty(0, self.factors)
        if articles.len():  # an empty matrix can't be fitted
            settings = bpr.Ranking(self.factors, self.learning_rate, self.l2, self.iterations, self.context.seed)
            fit = engine.either(by_implicit.ranked, bpr.ranked)
            # The last column is each article's popularity, which has nothing to do with taste.
            _, vectors = fit(matrix(bought, articles), settings, engine.device)
            found = torch.from_numpy(vectors[:, : self.factors])
        return quantised(torch.from_numpy(articles.to_numpy().copy()), shortened(found), "article")
