"""Purchases of the candidate's product or kind in the same weeks a year ago, by the customer and by everybody.

Public solutions of the H&M competition count purchases in the same weeks of last year next to recent ones; `need` has
the season of whole categories.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS, YEAR
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned, Level


class SameSeason(Feature):
    """Units bought around the coming week a year ago, at one level of the catalogue."""

    by: Level = "product"
    """What counts as the same: article, product, product_type, department, or any other code column of the articles."""
    around: Count = 14
    """Days before and after last year's week that count as the same weeks."""

    def needs(self) -> frozenset[str]:
        return frozenset() if self.by == "article" else frozenset({self.by})

    def needs_days(self) -> int:
        return max(0, YEAR - DAYS + 1 - self.around)

    def learn(self, history: History) -> Learned:
        """Return `levels` (article, level) and `sold` (level, units)."""
        levels = history.articles.select("article", level=pl.col(self.by)).drop_nulls()
        sold = self._season(history).join(levels, on="article").group_by("level")
        return {"levels": levels, "sold": sold.agg(pl.len().cast(pl.Int32).alias(f"season_{self.by}_sold"))}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `bought`: (customer, level, units)."""
        bought = self._season(audience).join(learned["levels"], on="article").group_by("customer", "level")
        return {"bought": bought.agg(pl.len().cast(pl.Int32).alias(f"season_{self.by}_bought"))}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        asked = pairs.select("customer", "article")
        for name, keys in {"levels": ["article"], "sold": ["level"], "bought": ["customer", "level"]}.items():
            asked = asked.join(learned[name], on=keys, how="left", maintain_order="left")
        return asked.drop("level")

    def _season(self, history: History) -> pl.LazyFrame:
        start = history.cutoff - YEAR
        return history.transactions.filter(
            pl.col("day").is_between(start - self.around, start + DAYS - 1 + self.around)
        )
