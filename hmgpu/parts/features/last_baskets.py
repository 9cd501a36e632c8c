"""How much in the customer's last baskets is the same as, or similar to, the candidate.

Public solutions of the H&M competition ask how similar a candidate is to the last purchases. `affinity` counts by days
before the cutoff; here the last shopping day counts however long ago it was.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import ranked
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Level, Windows


class LastBaskets(Feature):
    """Units in the last baskets that are the candidate itself, or share its product, type or the like."""

    baskets: Windows = (1, 3)
    """Shopping days: units bought on the customer's last 1 and last 3 of them become columns."""
    like: Annotated[tuple[Level, ...], Field(min_length=1)] = (
        "article",
        "product",
        "product_type",
        "department",
        "colour",
    )
    """What a unit must share with the candidate to count, each with its own columns: article, or any code column of the
    articles; a column that the retailer lacks is left out."""

    def learn(self, history: History) -> Learned:
        levels = [level for level in self.like if level != "article" and history.has(level)]
        return {"articles": history.articles.select("article", *levels)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        days = audience.transactions.select("customer", "day").unique()
        latest = ranked(days, by="customer", score="day", tie="day").filter(pl.col("rank") <= max(self.baskets))
        inside = audience.transactions.join(latest, on=["customer", "day"]).join(learned["articles"], on="article")
        return {
            level: inside.filter(pl.col(level).is_not_null())
            .group_by("customer", level)
            .agg((pl.col("rank") <= n).sum().cast(pl.Int32).alias(f"last_{level}_{n}") for n in self.baskets)
            for level in self._levels(learned)
        }

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        asked = pairs.select("customer", "article")
        asked = asked.join(learned["articles"], on="article", how="left", maintain_order="left")
        levels = self._levels(learned)
        for level in levels:
            asked = asked.join(learned[level], on=["customer", level], how="left", maintain_order="left")
        found = [f"last_{level}_{n}" for level in levels for n in self.baskets]
        return asked.select("customer", "article", *found)

    def _levels(self, learned: Learned) -> list[str]:
        known = learned["articles"].collect_schema().names()
        return [level for level in self.like if level in known]
