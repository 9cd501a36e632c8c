"""How often and how lately the customer bought the candidate itself, its product, its department or the like.

Counts by window, decayed weights and days since the first and the last purchase, of article, product and category, are
among the features that mattered most to the H&M competition's public solutions.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.core.plans import TODAY, decayed
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Level, Windows


class Affinity(Feature):
    """The customer's purchases at one level of the catalogue: units by window, decayed weight, share, days since."""

    by: Level = "article"
    """What counts as the same: article, product, product_type, department, or any other code column of the articles."""
    windows: Windows = (7, 28, 91)
    """Days before the cutoff: units bought in each of these windows become a column, next to units of all time."""
    half_life: Annotated[float, Field(gt=0)] = 21.0
    """Days after which a purchase counts half as much; fewer let the newest purchases decide."""

    def needs(self) -> frozenset[str]:
        return frozenset() if self.by == "article" else frozenset({self.by})

    def learn(self, history: History) -> Learned:
        if self.by == "article":
            return {}
        return {"levels": history.articles.select("article", level=pl.col(self.by)).drop_nulls()}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        bought = self._at_level(audience.transactions.select("customer", "article", "day"), learned, "inner")
        age = audience.cutoff - pl.col("day")
        at_level = bought.group_by("customer", "level").agg(
            *((age <= days).sum().cast(pl.Int32).alias(f"bought_{self.by}_units_{days}") for days in self.windows),
            pl.len().cast(pl.Int32).alias(f"bought_{self.by}_units"),
            age.min().alias(f"bought_{self.by}_days_since"),
            age.max().alias(f"bought_{self.by}_days_since_first"),
            (decayed(audience.cutoff, self.half_life).sum() / TODAY).cast(pl.Float32).alias(f"bought_{self.by}_weight"),
        )
        share = pl.col(f"bought_{self.by}_units") / pl.col(f"bought_{self.by}_units").sum().over("customer")
        shared = at_level.with_columns(share.cast(pl.Float32).alias(f"bought_{self.by}_share"))
        return {"bought": shared}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        levels = self._at_level(pairs.select("customer", "article"), learned, "left")
        columns = levels.join(learned["bought"], on=["customer", "level"], how="left", maintain_order="left")
        return columns.drop("level")

    def _at_level(self, rows: pl.LazyFrame, learned: Learned, how: Literal["inner", "left"]) -> pl.LazyFrame:
        """Add to `rows` the `level` of their article."""
        if self.by == "article":
            return rows.with_columns(level=pl.col("article"))
        return rows.join(learned["levels"], on="article", how=how, maintain_order="left" if how == "left" else "none")
