"""Bayesian personalised ranking: vectors that put what a customer bought before what he did not.

Rendle et al. 2009 ("BPR: Bayesian Personalized Ranking from Implicit Feedback"), fitted by the library implicit. As a
feature it lifted the third place of the H&M competition. Its customers' vectors are dropped: the mean of the articles'
recalls more than they do, and depends on no other customer.
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
    """What is nearest to the mean of the latest articles, and, as a feature, how near every other candidate is."""

    days: Count = 60
    """How far back purchases are learned from."""
    factors: Count = 64
    """Numbers in a vector."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    """Step of the stochastic descent."""
    l2: Annotated[float, Field(ge=0)] = 0.0001
    """Penalty on the squared vectors."""
    iterations: Count = 50
    """Times that as many purchases are drawn as there are."""

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"implicit"}

    def vectors(self, history: History) -> pl.DataFrame:
        """Of all that was sold in these days, the longest vector of length 1.

        On one thread of the CPU whatever the engine: more of them, or a GPU, would each time learn other vectors.
        """
        import torch

        from hmgpu.core.vectors import quantised, shortened

        bought = self.context.engine.collect(weighted(history, self.days, self.half_life).sort("customer", "article"))
        articles = bought["article"].unique().sort()
        found = torch.empty(0, self.factors)
        if articles.len():  # implicit can't fit nothing
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
            # The last column is each article's popularity, which is no taste.
            found = torch.from_numpy(model.item_factors[:, : self.factors])
        return quantised(torch.from_numpy(articles.to_numpy().copy()), shortened(found), "article")
