"""Item-to-item collaborative filtering: articles that customers lately bought soon after what this customer bought.

As the item CF of the H&M competition's write-ups: directional pairs within each customer's history, which weigh less
the more days lie between them and the more articles the customer bought, divided by the logarithm of the article's
popularity. Deshpande & Karypis 2004 ("Item-based top-N recommendation algorithms") also found that busy customers and
popular articles should count for less.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field, field_validator

from hmgpu.data.store import History
from hmgpu.parts.models.by_attribute import DERIVED, OF_CUSTOMERS
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates
from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.popular_by import PopularBy


class ItemCF(CoPurchase):
    """Rules `seed → article` as in `copurchase`, with weights for how busy a pair's customer is and how old it is.

    A rule says: customers who bought the seed also bought the article. One customer's pair weighs
    `gap`^days between · direction · 0.5^(its age / pair_half_life) / log(1 + articles that the customer bought).
    A rule's score is the sum over customers / √(buyers of the seed) / log(1 + buyers of the article).
    """

    days: Count = 60
    """Days before the cutoff whose purchases are paired to learn the rules."""
    gap: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Weight of a pair, to the power of the days between its two purchases; 1 ignores the days."""
    backwards: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Weight of a pair whose article was bought before its seed; 1 makes the rules symmetric, 0 ignores such pairs."""
    same_day: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Weight of a pair whose articles were bought on the same day."""
    pair_half_life: Annotated[float, Field(gt=0)] = 21.0
    """Days after which a pair counts half as much, counted from its later purchase."""
    normalise: Literal["log", "root"] = "log"
    """What a rule is divided by, so that best sellers don't win every time: the logarithm or the square root of the
    article's number of buyers; root favours rare articles more."""
    by: str | None = None
    """A customer attribute, as in `popular_by` (age_band, price_level, …): rules are learned separately for each group
    of customers, and a customer gets those of their own group; customers without a group get nothing. null: the same
    rules for everybody."""
    per_article: Count = 40
    """Best rules that are kept for each seed."""
    on_sale: Count = 7
    """Only articles that sold in this many days before the cutoff are proposed."""
    seeds: Count = 16
    """Number of seeds: latest articles of each customer, or best sellers (see `seeds_from`)."""
    seed_days: Count = 182
    """Days before the cutoff from which the customer's latest articles are taken."""
    half_life: Annotated[float, Field(gt=0)] = 28.0
    """Days after which a seed counts half as much."""
    n: Candidates = 24

    @field_validator("by")
    @classmethod
    def _is_attribute(cls, by: str | None) -> str | None:
        if by is not None and by not in OF_CUSTOMERS:
            raise ValueError(f"'{by}' is not an attribute of customers; choose from {', '.join(OF_CUSTOMERS)}")
        return by

    def needs(self) -> frozenset[str]:
        return frozenset({DERIVED.get(self.by, self.by)}) if self.by else frozenset()

    def learn(self, history: History) -> Learned:
        bought = self._paired(history)
        bought = bought.join(bought.group_by("customer").agg(articles=pl.len()), on="customer")
        tables: Learned = {}
        if self.by:
            groups = PopularBy(by=self.by).learn(history)
            tables = {name: plan for name, plan in groups.items() if name == "levels"}
            buyers = history.of(bought.select("customer").unique())
            bought = bought.join(self._groups(tables, buyers), on="customer")
        return tables | {"rules": self._rules(bought, history)} | self._best(history)

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        seeds = super().learn_customers(learned, audience)["seeds"]
        return {"seeds": seeds.join(self._groups(learned, audience), on="customer") if self.by else seeds}

    def _groups(self, learned: Learned, history: History) -> pl.LazyFrame:
        """Return (customer, tag): the group of each customer that has one."""
        assert self.by
        return PopularBy(by=self.by).learn_customers(learned, history)["tags"].select("customer", "tag")

    def _apart(self) -> list[str]:
        return ["tag"] if self.by else []

    def _weight(self, cutoff: int) -> pl.Expr:
        between = pl.col("day") - pl.col("seed_day")
        direction = pl.when(between < 0).then(self.backwards).when(between == 0).then(self.same_day).otherwise(1.0)
        close = pl.lit(self.gap).pow(between.abs().cast(pl.Float64))
        age = cutoff - pl.when(between < 0).then(pl.col("seed_day")).otherwise(pl.col("day"))
        fresh = pl.lit(0.5).pow(age.cast(pl.Float64) / self.pair_half_life)
        return close * direction * fresh / (1 + pl.col("articles").cast(pl.Float64)).log()

    def _score(self) -> pl.Expr:
        # At most 2^20 / log(2)² for each of the seed's buyers, so below 2^22 times the root of their number.
        popular = pl.col("buyers").sqrt() if self.normalise == "root" else (1 + pl.col("buyers")).log()
        return pl.col("weight") / pl.col("seed_buyers").sqrt() / popular
