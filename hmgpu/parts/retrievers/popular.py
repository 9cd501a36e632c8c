"""The latest best sellers among all customers.

As in public solutions of the H&M competition: sales of the last one to four weeks, decayed by time.
"""

from typing import Annotated

import polars as pl

from hmgpu.core.plans import decayed, top_n
from hmgpu.data.store import History
from hmgpu.parts.auto import Measured, TurnoverHalfLife, between
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever


class Popular(Retriever):
    """The best sellers of the last weeks, the same for every customer."""

    days: Annotated[Count, Measured(lambda rhythm: between(28, 7 * rhythm.turnover_half_life, 364))] = 28
    """Days before the cutoff whose sales count; 7 to 28 are usual."""
    half_life: TurnoverHalfLife = 4.0
    """Days after which a sale counts half as much; fewer follow trends sooner and are noisier."""
    n: Candidates = 40

    def learn(self, history: History) -> Learned:
        weight = decayed(history.cutoff, self.half_life, self.days)
        sales = history.last(self.days).group_by("article").agg(score=weight.sum())
        return {"best": top_n(sales, self.n, by=())}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return customers.join(learned["best"], how="cross")

    def reason(self) -> str:
        return "best seller"
