"""Matrix factorisation of purchases: the articles whose vectors are nearest to the customer's.

Hu, Koren & Volinsky 2008 ("Collaborative filtering for implicit feedback datasets"), fitted by the library implicit on
the CPU, by torch on a GPU. Only the articles' vectors are kept. A customer's vector is the least-squares solution for
their own purchases: it doesn't depend on any other customer, and new customers get one in the same way.
"""

from typing import TYPE_CHECKING, Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.space.bought import matrix, weighted
from hmgpu.parts.models.space.embedding import EmbeddingWithLatest
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates

if TYPE_CHECKING:  # the real imports take a second, which other parts need not pay
    from hmgpu.parts.models.factors.als import Factorisation, Floats

FACTOR = "factor"


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

        Both have all articles that sold in these days. The two engines take the same steps, whose sums differ in their
        last bits.
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
        from hmgpu.parts.models.factors import als, by_implicit

        engine = self.context.engine
        articles = engine.collect(learned["factors"].sort("article"))
        # Who isn't in the history may have bought what nobody bought in these days.
        known = learned["factors"].select("article")
        rows = weighted(audience, self.days, self.half_life).join(known, on="article", how="semi")
        bought = engine.collect(rows.sort("customer", "article"))
        customers = bought["customer"].unique().sort()
        factors, taken = _factors(articles), matrix(bought, articles["article"])
        solve = engine.either(by_implicit.solved, als.solved)
        own = solve(factors, taken, self._settings(), engine.device) if customers.len() else factors[:0]
        # Of length 1, since the length changes nothing about the order of a customer's articles.
        keys = torch.from_numpy(customers.to_numpy().copy())
        found = quantised(keys, torch.nn.functional.normalize(torch.from_numpy(own), dim=1), "customer").lazy()
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
        if bought.is_empty():  # which can't be fitted
            return pl.DataFrame(schema=dict.fromkeys(names, pl.Float32))
        from hmgpu.parts.models.factors import als, by_implicit

        engine = self.context.engine
        fit = engine.either(by_implicit.factorised, als.factorised)
        return pl.DataFrame(fit(matrix(bought, articles["article"]), self._settings(), engine.device), schema=names)

    def _settings(self) -> "Factorisation":
        from hmgpu.parts.models.factors.als import Factorisation

        return Factorisation(self.factors, self.alpha, self.l2, self.iterations, self.context.seed)


def _vectors(articles: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Return (article, `v…` int16): the `factors`, scaled so that the longest vector has length 1."""
    import torch

    from hmgpu.core.vectors import quantised, shortened

    vectors = shortened(torch.from_numpy(_factors(factors)))
    return quantised(torch.from_numpy(articles["article"].to_numpy().copy()), vectors, "article")


def _factors(articles: pl.DataFrame) -> "Floats":
    return articles.select(pl.col(f"^{FACTOR}.*$")).to_numpy(order="c").copy()
