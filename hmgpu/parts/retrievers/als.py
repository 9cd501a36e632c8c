"""Matrix factorisation of who bought what: the articles whose vectors are nearest to the customer's.

Hu, Koren & Volinsky 2008 ("Collaborative filtering for implicit feedback datasets"), fitted by the library implicit.
Only the articles' vectors are kept: a customer's is the least-squares solution for his own purchases, so it depends on
no other customer, and new customers get theirs like all others.
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
    """The nearest articles on sale, and, as a feature, how near every other candidate is."""

    days: Count = 60
    """How far back purchases count."""
    half_life: Annotated[float, Field(gt=0)] = 30.0
    """Days in which the weight of a purchase halves."""
    factors: Count = 64
    """Numbers in a vector."""
    alpha: Annotated[float, Field(gt=0)] = 10.0
    """Confidence in a purchase of today, as a multiple of that in an article that was not bought."""
    l2: Annotated[float, Field(ge=0)] = 1.0
    """Penalty on the squared vectors."""
    iterations: Count = 10
    """Times that customers and articles are solved for in turn."""
    on_sale: Count = 14
    """Only articles sold in this many days before the cutoff are retrieved; others only have a vector."""
    n: Candidates = 40

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"implicit"}

    def learn(self, history: History) -> Learned:
        """`articles`: (article, `v…` int16, on_sale int8), `factors`: (article, `factor…` float32) of all sold lately.

        On the CPU whatever the engine: the CUDA part of implicit 0.7.3 is built for an rmm of before RAPIDS 26.6,
        beside which it doesn't load, and its factors would differ in their last bits.
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
        """`customers`: (customer, `v…` int16) of those who bought anything in these days."""
        import torch

        from hmgpu.core.vectors import quantised

        engine = self.context.engine
        articles = engine.collect(learned["factors"].sort("article"))
        bought = engine.collect(weighted(audience, self.days, self.half_life).sort("customer", "article"))
        customers = bought["customer"].unique().sort()
        own = torch.from_numpy(self._solved(_factors(articles), matrix(bought, articles["article"])))
        # Of length 1: it decides nothing about the order of a customer's articles.
        keys = torch.from_numpy(customers.to_numpy().copy())
        found = quantised(keys, torch.nn.functional.normalize(own, dim=1), "customer").lazy()
        return {"customers": found} | self.bought_latest(learned, audience)

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """`als_dot` float32: null where the customer or the article was not in a purchase of these days; with `latest`
        also `als_latest` float32, the largest product with one of the customer's latest articles."""
        return self.with_latest(self.near(learned, pairs, "als_dot"), learned, "als_latest")

    def _fitted(self, bought: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
        """`factor…` float32 of each of `articles`."""
        names = [f"{FACTOR}{place:03}" for place in range(self.factors)]
        if bought.is_empty():  # which implicit can't fit
            return pl.DataFrame(schema=dict.fromkeys(names, pl.Float32))
        with self._model() as model:
            model.fit(matrix(bought, articles["article"]), show_progress=False)
        return pl.DataFrame(model.item_factors, schema=names)

    def _solved(self, articles: Floats, bought: "csr_matrix") -> Floats:
        """float32 (customers, factors): the customers' vectors, given those of the articles."""
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

        with threadpool_limits(1, "blas"):  # implicit has threads of its own, which those of BLAS would hold up
            yield AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.l2,
                alpha=self.alpha,
                iterations=self.iterations,
                random_state=self.context.seed,
            )


def _vectors(articles: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """(article, `v…` int16): the `factors`, the longest vector of length 1."""
    import torch

    from hmgpu.core.vectors import quantised, shortened

    vectors = shortened(torch.from_numpy(_factors(factors)))
    return quantised(torch.from_numpy(articles["article"].to_numpy().copy()), vectors, "article")


def _factors(articles: pl.DataFrame) -> Floats:
    return articles.select(pl.col(f"^{FACTOR}.*$")).to_numpy(order="c").copy()
