"""What sells best among customers, or in a group of articles, like this customer's.

Public solutions of the H&M competition counted best sellers by age band, gender, price quintile ("purchase ability"),
channel and postal code, and those of the departments, types and sections that a customer buys from.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import decayed
from hmgpu.data.store import History
from hmgpu.parts.models.by_attribute import ByAttribute
from hmgpu.parts.part import Count


class PopularBy(ByAttribute):
    """Best sellers by any attribute of customers (age band, channel, …) or of articles (department, …).

    A customer attribute gives each customer one tag and the best sellers among customers of that tag. An article
    attribute gives each customer the tags bought most lately and the best sellers among articles of those tags.
    """

    days: Count = 14
    """How far back sales count."""
    half_life: Annotated[float, Field(gt=0)] = 4.0
    """Days in which the weight of a sale halves."""

    def _sold(self, history: History) -> pl.LazyFrame:
        return history.last(self.days).with_columns(weight=decayed(history.cutoff - pl.col("day"), self.half_life))

    def _sales(self, tagged: pl.LazyFrame) -> pl.LazyFrame:
        # One fixed-point unit for having sold at all, so that no tag's best seller weighs nothing.
        return tagged.group_by("tag", "article").agg(sales=pl.col("weight").sum() + 1)
