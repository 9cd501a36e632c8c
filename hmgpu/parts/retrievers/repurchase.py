"""What the customer bought before, newest and most often first.

As in public solutions of the H&M competition: all past articles, decayed by time. With last week's best sellers behind
them, these alone scored a MAP@12 of about .022 there.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.core.plans import decayed, fixed_point, top_n
from hmgpu.data.store import History
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever


class Repurchase(Retriever):
    """The customer's own past articles by time-decayed purchases."""

    days: Count = 730
    """How far back purchases count."""
    half_life: Annotated[float, Field(gt=0)] = 14.0
    """Days in which the weight of a purchase halves; short, so that the newest purchase decides."""
    decay: Literal["exponential", "sum"] = "exponential"
    """What a purchase of x days ago weighs: 2^(−x / half_life); or the sum of that, of 1 / √x and of 1 − x / days, so
    that old ones count for more, as in an H&M solution's order history."""
    n: Candidates = 40

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        bought = audience.last(self.days).with_columns(weight=self._weight(audience.cutoff - pl.col("day")))
        # One fixed-point unit for having bought at all keeps old purchases in order of their number, not at zero.
        scored = bought.group_by("customer", "article").agg(score=pl.col("weight").sum() + pl.len().cast(pl.Int64))
        return {"bought": top_n(scored, self.n, by="customer")}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return learned["bought"].join(customers, on="customer", how="semi")

    def _weight(self, age: pl.Expr) -> pl.Expr:
        fresh = decayed(age, self.half_life)
        if self.decay == "exponential":
            return fresh
        days = age.cast(pl.Float64)  # 1 and more: the last day before the cutoff is one ago
        return fresh + fixed_point(1 / days.sqrt()) + fixed_point(1 - days / self.days)
