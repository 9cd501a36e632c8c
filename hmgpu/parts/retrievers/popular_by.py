"""Best sellers among similar customers (by age band, channel or the like), or in the customer's departments or types.

Public solutions of the H&M competition counted best sellers by age band, gender, price quintile ("purchase ability"),
channel and postal code, and the best sellers of the departments, types and sections that a customer buys from.
"""

from typing import Annotated

import polars as pl

from hmgpu.core.plans import decayed
from hmgpu.data.store import History
from hmgpu.parts.auto import Measured, TurnoverHalfLife, between
from hmgpu.parts.models.by_attribute import ByAttribute
from hmgpu.parts.part import Count


class PopularBy(ByAttribute):
    """Best sellers by any attribute of customers (age band, channel, …) or of articles (department, …).

    With a customer attribute, each customer has one tag (their age band, say) and gets the best sellers among customers
    with that tag. With an article attribute, each customer has several tags (the departments that they bought most from
    lately, say) and gets the best sellers among articles with those tags.
    """

    days: Annotated[Count, Measured(lambda rhythm: between(14, 3.5 * rhythm.turnover_half_life, 182))] = 14
    """Days before the cutoff whose sales count."""
    half_life: TurnoverHalfLife = 4.0
    """Days after which a sale counts half as much; fewer follow trends sooner and are noisier."""

    def _sold(self, history: History) -> pl.LazyFrame:
        return history.last(self.days).with_columns(weight=decayed(history.cutoff, self.half_life, self.days))

    def _sales(self, tagged: pl.LazyFrame) -> pl.LazyFrame:
        return tagged.group_by("tag", "article").agg(sales=pl.col("weight").sum())
