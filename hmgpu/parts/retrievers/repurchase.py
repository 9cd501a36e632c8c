"""Articles that the customer bought before, the newest and most frequent ones first.

As in public solutions of the H&M competition: all past articles, decayed by time. Together with last week's best
sellers, placed behind them, they scored a MAP@12 of about .022 there.
"""

from typing import Annotated, Literal

import polars as pl

from hmgpu.core.plans import TODAY, decayed, fixed_point, top_n
from hmgpu.data.store import History
from hmgpu.parts.auto import Measured, RepeatHalfLife, between
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever


class Repurchase(Retriever):
    """The customer's own past articles, ordered by time-decayed purchases."""

    days: Count = 730
    """Days before the cutoff whose purchases count."""
    half_life: RepeatHalfLife = 14.0
    """Days after which a purchase counts half as much; the fewer, the more the newest purchase decides."""
    decay: Literal["exponential", "sum"] = "exponential"
    """The weight of a purchase x days ago. exponential: 2^(−x / half_life); sum: that + 1 / √x + 1 − x / days, which
    gives old purchases more weight, as one H&M solution did."""
    n: Annotated[Candidates, Measured(lambda rhythm: between(12, rhythm.repeat_places, 100))] = 40

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        bought = audience.last(self.days).with_columns(weight=self._weight(audience.cutoff))
        scored = bought.group_by("customer", "article").agg(score=pl.col("weight").sum())
        return {"bought": top_n(scored, self.n, by="customer")}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return learned["bought"].join(customers, on="customer", how="semi")

    def _weight(self, cutoff: int) -> pl.Expr:
        fresh = decayed(cutoff, self.half_life, self.days)
        if self.decay == "exponential":
            return fresh
        days = (cutoff - pl.col("day")).cast(pl.Float64)  # at least 1: the last day before the cutoff is one day ago
        # Less than three times TODAY, so that a sum fits for fewer than 2^29 purchases by one customer.
        return fresh + fixed_point(1 / days.sqrt(), TODAY) + fixed_point(1 - days / self.days, TODAY)

    def reason(self) -> str:
        return "you bought it {when}"

    def because(self, learned: Learned, pairs: pl.LazyFrame, audience: History) -> pl.LazyFrame:
        return pairs.select("customer", "article", because="article")
