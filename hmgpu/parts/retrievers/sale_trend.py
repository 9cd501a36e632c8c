"""Articles that sell better than a week before, overall, among similar customers, or in the customer's departments.

The measure `(this week - last week) / (last week + 1)` comes from public solutions of the H&M competition.
"""

from typing import Annotated

import polars as pl
from pydantic import Field, field_validator

from hmgpu.core.plans import ONE, fixed_point
from hmgpu.data.store import History
from hmgpu.parts.models.by_attribute import ByAttribute
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates

EVERYBODY = "everybody"


class SaleTrend(ByAttribute):
    """The articles whose sales rise most: like `popular_by`, with the growth of sales in place of the sales."""

    by: str = EVERYBODY
    """everybody: the same articles for all customers; or an attribute of customers or articles, as in `popular_by`."""
    days: Count = 7
    """Length in days of the two periods that are compared: the days before the cutoff, and as many days before them."""
    least: Annotated[float, Field(gt=0)] = 0.8
    """Growth that an article needs to be proposed, as a share of its sales before; 0.8 means 80 % more."""
    sold: Count = 5
    """Units that an article must have sold in the later period; from one unit to three is not a trend."""
    n: Candidates = 12

    @field_validator("by")
    @classmethod
    def _is_attribute(cls, by: str) -> str:
        return by if by == EVERYBODY else ByAttribute._is_attribute(by)

    def needs(self) -> frozenset[str]:
        return frozenset() if self.by == EVERYBODY else super().needs()

    def _sold(self, history: History) -> pl.LazyFrame:
        late = (history.cutoff - pl.col("day") <= self.days).cast(pl.Int64)
        return history.last(2 * self.days).with_columns(weight=late)

    def _sales(self, tagged: pl.LazyFrame) -> pl.LazyFrame:
        sold = tagged.group_by("tag", "article").agg(now=pl.col("weight").sum(), both=pl.len().cast(pl.Int64))
        before = pl.col("both") - pl.col("now")
        # Units are below 2^31, so their product with 2^20 is below 2^51.
        rising = sold.filter(pl.col("now") >= self.sold).with_columns(
            sales=(pl.col("now") - before) * ONE // (before + 1)
        )
        return rising.filter(pl.col("sales") >= fixed_point(pl.lit(self.least))).select("tag", "article", "sales")

    def _customer_tags(self, learned: Learned, history: History) -> pl.LazyFrame:
        if self.by == EVERYBODY:
            return history.customers.select("customer", tag=pl.lit(0, dtype=pl.Int32))
        return super()._customer_tags(learned, history)

    def reason(self) -> str:
        return "sells more and more"
