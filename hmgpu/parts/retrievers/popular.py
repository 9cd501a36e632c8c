"""What everybody bought lately.

As in public solutions of the H&M competition: sales of the last one to four weeks, decayed by time.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import decayed, top_n
from hmgpu.data.store import History
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever


class Popular(Retriever):
    """The best sellers of the last weeks, the same for every customer."""

    days: Count = 28
    """How far back sales count: one to four weeks."""
    half_life: Annotated[float, Field(gt=0)] = 4.0
    """Days in which the weight of a sale halves."""
    n: Candidates = 40

    def learn(self, history: History) -> Learned:
        sold = history.last(self.days).with_columns(weight=decayed(history.cutoff - pl.col("day"), self.half_life))
        sales = sold.group_by("article").agg(score=pl.col("weight").sum())
        return {"best": top_n(sales, self.n, by=())}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return customers.join(learned["best"], how="cross")
