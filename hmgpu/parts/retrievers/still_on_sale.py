"""Another retriever's candidates, without the articles that no longer sell.

repurchase: {kind: still_on_sale, days: 7, of: {kind: repurchase, n: 60}, n: 24}

Some public solutions of the H&M competition proposed articles bought together only if they had sold in the last week.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.models.filter import Filter
from hmgpu.parts.part import Count
from hmgpu.parts.retriever import Candidates


class StillOnSale(Filter):
    """Another retriever's candidates that sold in the last days."""

    days: Count = 7
    """An article is still on sale if it sold in this many days before the cutoff."""
    n: Candidates = 24

    def kept(self, history: History) -> pl.LazyFrame:
        return history.on_sale(self.days)
