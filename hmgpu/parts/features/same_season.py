"""What was bought in the same weeks a year ago: by the customer, and by everybody, of the candidate's product or kind.

Public solutions of the H&M competition count purchases in the same weeks of last year beside those of late; `need` has
the season of whole categories.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS, YEAR
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned, Level


class SameSeason(Feature):
    """Units around the anniversary of the coming week, at one level of the catalogue."""

    by: Level = "product"
    """The level: article, product, product_type, department, or any other code column of the articles."""
    around: Count = 14
    """Days before and after the anniversary of the coming week that count too."""

    def needs(self) -> frozenset[str]:
        return frozenset() if self.by == "article" else frozenset({self.by})

    def learn(self, history: History) -> Learned:
        """`levels`: (article, level); `sold`: (level, units)."""
        levels = history.articles.select("article", level=pl.col(self.by)).drop_nulls()
        sold = self._season(history).join(levels, on="article").group_by("level")
        return {"levels": levels, "sold": sold.agg(pl.len().cast(pl.Int32).alias(f"season_{self.by}_sold"))}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """`bought`: (customer, level, units)."""
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
