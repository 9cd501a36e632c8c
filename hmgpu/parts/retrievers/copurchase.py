"""Articles that others bought together with, or after, the customer's latest articles or the latest best sellers.

Directional pair rules ("bought seed, then article") with a decay by the days between, as the public solutions of the
H&M competition used them, normalised like item-based collaborative filtering (Deshpande & Karypis 2004).
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.core.join_budget import affordable
from hmgpu.core.plans import ONE, decayed, fixed_point, packed, top_n, unpacked
from hmgpu.data.store import History
from hmgpu.parts.auto import Measured, between
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever

ENOUGH = 1_000_000  # purchases whose pairs are rules, not chance


class CoPurchase(Retriever):
    """Rules `seed → article` from the purchases of all customers, applied to each customer's seeds.

    A rule says: customers who bought the seed also bought the article. A seed is one of the customer's latest articles,
    or a best seller (see `seeds_from`).
    """

    days: Annotated[Count, Measured(lambda rhythm: between(42, ENOUGH / rhythm.purchases_a_day, 364))] = 42
    """Days before the cutoff whose purchases are paired to learn the rules."""
    gap: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Weight of a pair, to the power of the days between its two purchases; 1 ignores the days."""
    backwards: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Weight of a pair whose article was bought before its seed; 1 makes the rules symmetric, 0 ignores such pairs."""
    support: Count = 2
    """Customers who must have bought both articles for a rule; more drops rare, chancy rules."""
    per_customer: Count = 30
    """Latest articles of each customer that are paired with each other."""
    pairs: Count = 400_000_000
    """The most pairs that are formed, to bound memory. Pairs grow with the square of a customer's articles; if there
    would be more, fewer of the latest articles are paired than `per_customer`, and a warning says so."""
    per_article: Count = 12
    """Best rules that are kept for each seed."""
    on_sale: Count = 14
    """Only articles that sold in this many days before the cutoff are proposed."""
    seeds: Count = 12
    """Number of seeds: latest articles of each customer, or best sellers."""
    seeds_from: Literal["own", "popular"] = "own"
    """own: the seeds are the customer's latest articles; popular: they are the best sellers of the last seven days, the
    same for everybody."""
    seed_days: Count = 91
    """Days before the cutoff from which the customer's latest articles are taken."""
    half_life: Annotated[float, Field(gt=0)] = 14.0
    """Days after which a seed counts half as much."""
    n: Candidates = 24

    def idle(self) -> Mapping[str, str]:
        return dict.fromkeys(("seed_days", "half_life"), "with seeds_from: own") if self.seeds_from == "popular" else {}

    def learn(self, history: History) -> Learned:
        return {"rules": self._rules(self._paired(history), history)} | self._best(history)

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        if self.seeds_from == "popular":
            return {"seeds": audience.customers.select("customer").join(learned["best"], how="cross")}
        weight = decayed(audience.cutoff, self.half_life, self.seed_days, ONE)
        latest = _latest(audience.last(self.seed_days), self.seeds)
        return {"seeds": latest.select("customer", seed="article", weight=weight)}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        seeds = learned["seeds"].join(customers, on="customer", how="semi")
        matched = seeds.join(learned["rules"], on=[*self._apart(), "seed"])
        # A rule's score is below 2^37 (see `_score`) and a seed's weight below 2^21 (or the units of one week): the sum
        # stays below 2^63 for 32 seeds of 2^31 buyers, or for 2^15 seeds of the 2^22 customers of a large retailer.
        scored = matched.group_by("customer", "article").agg(score=(pl.col("score") * pl.col("weight")).sum())
        return top_n(scored, self.n, by="customer")

    def reason(self) -> str:
        return "bought together with " + ("your {because}" if self.seeds_from == "own" else "best sellers")

    def because(self, learned: Learned, pairs: pl.LazyFrame, audience: History) -> pl.LazyFrame | None:
        if self.seeds_from == "popular":
            return None
        led = learned["seeds"].join(pairs.select("customer").unique(), on="customer", how="semi")
        led = led.join(learned["rules"], on=[*self._apart(), "seed"]).join(pairs, on=KEYS, how="semi")
        led = led.select(*KEYS, because="seed", worth=pl.col("score") * pl.col("weight"))
        return top_n(led, 1, by=KEYS, score="worth", tie="because").select(*KEYS, "because")

    def _best(self, history: History) -> Learned:
        """Return `best` (seed, weight): the best sellers of the last week; empty unless they are the seeds."""
        if self.seeds_from == "own":
            return {}
        sold = history.last(7).group_by("article").agg(units=pl.len().cast(pl.Int64))
        best = top_n(sold.with_columns(everywhere=pl.lit(0)), self.seeds, by="everywhere", score="units")
        return {"best": best.select(seed="article", weight="units")}

    def _paired(self, history: History) -> pl.LazyFrame:
        """Return (customer, article, day): the latest articles of each customer, as many as may be paired."""
        past = history.last(self.days)
        different = past.select("customer", "article").unique()
        paired = affordable(different, "customer", self.per_customer, self.pairs, self.kind, self.context.engine)
        return _latest(past, paired)

    def _rules(self, bought: pl.LazyFrame, history: History) -> pl.LazyFrame:
        """Return the rules (columns of `_apart`, seed, article, score).

        Args:
            bought: the table that `_paired` returned; more columns do no harm.
            history: from which the articles on sale are taken.
        """
        apart = self._apart()
        buyers = bought.group_by(*apart, "article").agg(buyers=pl.len().cast(pl.Float64))
        rules = (
            self._pairs(bought, history)
            .join(buyers, on=[*apart, "article"])
            .join(buyers.select(*apart, seed="article", seed_buyers="buyers"), on=[*apart, "seed"])
            .select(*apart, "seed", "article", score=self._score().cast(pl.Int64))
        )
        return top_n(rules, self.per_article, by=[*apart, "seed"]).drop("rank")

    def _pairs(self, bought: pl.LazyFrame, history: History) -> pl.LazyFrame:
        """Return the pairs (columns of `_apart`, seed, article, weight), with weights summed over customers.

        Only pairs that enough customers bought, and whose article is still on sale.
        """
        apart = self._apart()
        seeds = bought.rename({"article": "seed", "day": "seed_day"})
        offered = bought.select("customer", "article", "day")
        selling = offered.join(
            history.on_sale(self.on_sale), on="article", how="semi"
        )  # before articles are paired, not after
        pairs = seeds.join(selling, on="customer").filter(pl.col("seed") != pl.col("article"))
        # `bought` has each customer and article once, so the rows of a pair are as many as its customers.
        weighed = pairs.select(*apart, pair=packed("seed", "article"), weight=fixed_point(self._weight(history.cutoff)))
        # At most 2^20 for each of fewer than 2^31 customers.
        summed = weighed.group_by(*apart, "pair").agg(weight=pl.col("weight").sum(), customers=pl.len())
        enough = summed.filter((pl.col("customers") >= self.support) & (pl.col("weight") > 0))
        return enough.select(*apart, *unpacked("pair", "seed", "article"), "weight")

    def _apart(self) -> list[str]:
        """Return the columns of customers whose values each get rules of their own."""
        return []

    def _weight(self, cutoff: int) -> pl.Expr:
        """Return the weight of one customer's pair: `seed` bought on `seed_day`, `article` bought on `day`."""
        days_between = pl.col("day") - pl.col("seed_day")
        direction = pl.when(days_between < 0).then(self.backwards).otherwise(1.0)
        return pl.lit(self.gap).pow(days_between.abs().cast(pl.Float64)) * direction

    def _score(self) -> pl.Expr:
        """Return a rule's score, from its `weight` and the buyers of both articles."""
        # The cosine: without it every rule would lead to the best sellers. At most 2^20, as each buyer's weight.
        return pl.col("weight") / (pl.col("buyers") * pl.col("seed_buyers")).sqrt()


def _latest(transactions: pl.LazyFrame, n: int) -> pl.LazyFrame:
    """Return (customer, article, day): each customer's `n` latest articles and the day they were last bought."""
    last = transactions.group_by("customer", "article").agg(day=pl.col("day").max())
    return top_n(last, n, by="customer", score="day").drop("rank")
