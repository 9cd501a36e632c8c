"""Matrix factorisation of purchases: the articles whose vectors are nearest to the customer's.

Hu, Koren & Volinsky 2008 ("Collaborative filtering for implicit feedback datasets"), fitted by the library implicit.
Only the articles' vectors are kept. A customer's vector is the least-squares solution for their own purchases: it
doesn't depend on any other customer, and new customers get one in the same way.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.neural.bought import matrix, weighted
from hmgpu.parts.models.neural.embedding import EmbeddingWithLatest
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates

if TYPE_CHECKING:  # the real imports take a second, which other parts need not pay
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

FACTOR = "factor"
Floats = npt.NDArray[np.float32]


class ALS(EmbeddingWithLatest):
    """The nearest articles on sale; as a feature, how near each candidate of any retriever is."""

    days: Count = 60
    """Days before the cutoff whose purchases count."""
    half_life: Annotated[float, Field(gt=0)] = 30.0
    """Days after which a purchase counts half as much."""
    factors: Count = 64
    """Length of the vectors; longer ones hold finer tastes, need more purchases and more time."""
    alpha: Annotated[float, Field(gt=0)] = 10.0
    """How much more a purchase of today counts than an article that was not bought (which counts 1)."""
    l2: Annotated[float, Field(ge=0)] = 1.0
    """Penalty on large numbers in the vectors; more fits the purchases less closely and overfits less."""
    iterations: Count = 10
    """Rounds of fitting, each of which solves for all customers and then for all articles."""
    on_sale: Count = 14
    """Only articles that sold in this many days before the cutoff are proposed; older ones only get the feature."""
    n: Candidates = 40

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"implicit"}

    def learn(self, history: History) -> Learned:
        """Return `articles` (article, `v…` int16, on_sale int8) and `factors` (article, `factor…` float32).

        Both have all articles that sold in these days. Fitted on the CPU whatever the engine: the CUDA part of implicit
        0.7.3 needs an rmm older than RAPIDS 26.6, does not load next to a newer one, and its factors would differ in
        their last bits.
        """
        engine = self.context.engine
        bought = engine.collect(weighted(history, self.days, self.half_life).sort("customer", "article"))
        articles = bought.select("article").unique().sort("article")
        factors = self._fitted(bought, articles)
        return {
            "articles": self.marked(_vectors(articles, factors).lazy(), history),
            "factors": articles.hstack(factors).lazy(),
        }

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `customers`: (customer, `v…` int16) of those who bought anything in these days."""
        import torch

        from hmgpu.core.vectors import quantised

        engine = self.context.engine
        articles = engine.collect(learned["factors"].sort("article"))
        bought = engine.collect(weighted(audience, self.days, self.half_life).sort("customer", "article"))
        customers = bought["customer"].unique().sort()
        own = torch.from_numpy(self._solved(_factors(articles), matrix(bought, articles["article"])))
        # Of length 1, since the length changes nothing about the order of a customer's articles.
        keys = torch.from_numpy(customers.to_numpy().copy())
        found = quantised(keys, torch.nn.functional.normalize(own, dim=1), "customer").lazy()
        return {"customers": found} | self.bought_latest(learned, audience)

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Compute `als_dot` float32, null if the customer or the article was not in a purchase of these days.

        With the setting `latest` also `als_latest` float32, the largest product with one of the customer's latest
        articles.
        """
        return self.with_latest(self.near(learned, pairs, "als_dot"), learned, "als_latest")

    def _fitted(self, bought: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
        """Return the columns `factor…` float32, one row for each of `articles`."""
        names = [f"{FACTOR}{place:03}" for place in range(self.factors)]
        if bought.is_empty():  # which implicit can't fit
            return pl.DataFrame(schema=dict.fromkeys(names, pl.Float32))
        with self._model() as model:
            model.fit(matrix(bought, articles["article"]), show_progress=False)
        return pl.DataFrame(model.item_factors, schema=names)

    def _solved(self, articles: Floats, bought: "csr_matrix") -> Floats:
        """Solve for the customers' vectors, given the vectors of `articles`; float32 (customers, factors)."""
        if not bought.shape[0]:
            return articles[:0]
        with self._model() as model:
            model.item_factors = articles
            solved: Floats = model.recalculate_user(range(bought.shape[0]), bought)
        return solved

    @contextmanager
    def _model(self) -> Iterator["AlternatingLeastSquares"]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Disabling GPU support")
            from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "blas"):  # implicit has threads of its own, which BLAS threads would hold up
            yield AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.l2,
                alpha=self.alpha,
                iterations=self.iterations,
                random_state=self.context.seed,
            )


def _vectors(articles: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Return (article, `v…` int16): the `factors`, scaled so that the longest vector has length 1."""
    import torch

    from hmgpu.core.vectors import quantised, shortened

    vectors = shortened(torch.from_numpy(_factors(factors)))
    return quantised(torch.from_numpy(articles["article"].to_numpy().copy()), vectors, "article")


def _factors(articles: pl.DataFrame) -> Floats:
    return articles.select(pl.col(f"^{FACTOR}.*$")).to_numpy(order="c").copy()
