"""Bayesian personalised ranking: vectors that rank what a customer bought above what they did not.

Rendle et al. 2009 ("BPR: Bayesian Personalized Ranking from Implicit Feedback"), fitted by the library implicit. As a
feature it lifted the third place of the H&M competition. The fitted customer vectors are dropped: the mean of the
vectors of a customer's articles has a better recall, and doesn't depend on other customers.
"""

import warnings
from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.neural.bought import matrix, weighted
from hmgpu.parts.models.neural.embedding_mean import EmbeddingMean
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

        Fitted by one thread of the CPU whatever the engine: with more threads or a GPU, each fit would be different.
        """
        import torch

        from hmgpu.core.vectors import quantised, shortened

        bought = self.context.engine.collect(weighted(history, self.days, self.half_life).sort("customer", "article"))
        articles = bought["article"].unique().sort()
        found = torch.empty(0, self.factors)
        if articles.len():  # implicit can't fit an empty matrix
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Disabling GPU support")
                from implicit.cpu.bpr import BayesianPersonalizedRanking
            model = BayesianPersonalizedRanking(
                factors=self.factors,
                learning_rate=self.learning_rate,
                regularization=self.l2,
                iterations=self.iterations,
                num_threads=1,
                random_state=self.context.seed,
            )
            model.fit(matrix(bought, articles), show_progress=False)
            # The last column is each article's popularity, which has nothing to do with taste.
            found = torch.from_numpy(model.item_factors[:, : self.factors])
        return quantised(torch.from_numpy(articles.to_numpy().copy()), shortened(found), "article")
