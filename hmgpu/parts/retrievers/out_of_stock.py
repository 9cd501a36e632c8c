"""Another retriever's candidates, without the articles that seem to have run out.

A shop's stock is not in the data, but sales that collapse are a sign of it: public solutions of the H&M competition
dropped articles whose sales fell by more than 80 % from one month to the next.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.filter import Filter
from hmgpu.parts.part import Count
from hmgpu.parts.retriever import Candidates


class OutOfStock(Filter):
    """Another retriever's candidates, without those whose sales collapsed lately or that didn't sell at all."""

    days: Count = 14
    """Length in days of the two periods that are compared: the days before the cutoff, and as many days before them."""
    fall: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """An article is out of stock if its sales fell by more than this share; 0.8 means by more than 80 %."""
    n: Candidates = 24

    def kept(self, history: History) -> pl.LazyFrame:
        late = history.cutoff - pl.col("day") <= self.days
        sold = history.last(2 * self.days).group_by("article").agg(now=late.sum(), both=pl.len())
        now, before = pl.col("now").cast(pl.Int64), pl.col("both").cast(pl.Int64) - pl.col("now").cast(pl.Int64)
        # New articles sold nothing before: they lost minus infinity.
        lost = (before - now).cast(pl.Float64) / before
        return sold.filter((now > 0) & (lost <= self.fall)).select("article")
