"""The share of the customer's, and of the article's, yearly purchases that falls into the coming season.

Some customers buy only in the sales, some before every summer. Public solutions of the H&M competition had customers'
seasons among their features; `same_season` counts last year's weeks at one level of the catalogue.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.data.weeks import YEAR
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned


class CustomerSeason(Feature):
    """Shares of the purchases of whole years that fall into the same season as the coming week."""

    years: Annotated[int, Field(ge=1)] = 1
    """Years before the cutoff whose purchases count, each of 52 weeks; whole years, so that no season counts twice."""
    around: Annotated[int, Field(ge=0, lt=YEAR // 2)] = 45
    """Days before and after the cutoff's day of the year that count as the same season."""

    def needs_days(self) -> int:
        return self.years * YEAR

    def learn(self, history: History) -> Learned:
        """Return `articles`: (article, `article_season_share` float32)."""
        return {"articles": self._shares(history, "article")}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `customers`: (customer, `customer_season_share` float32)."""
        return {"customers": self._shares(audience, "customer")}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Compute both shares, null where they would mislead.

        They are null if there were no purchases in these years, or none before them: all purchases of a customer whose
        first was a month ago would fall into this season.
        """
        both = pairs.select("customer", "article")
        both = both.join(learned["customers"], on="customer", how="left", maintain_order="left")
        return both.join(learned["articles"], on="article", how="left", maintain_order="left")

    def _shares(self, history: History, key: str) -> pl.LazyFrame:
        phase = (history.cutoff - pl.col("day")) % YEAR  # 0 is the day of the year on which the coming week begins
        season = (phase <= self.around) | (phase >= YEAR - self.around)
        counts = history.cutoff - pl.col("day") <= self.years * YEAR
        counted = history.transactions.group_by(key).agg(
            first=pl.col("day").min(),
            units=counts.sum().cast(pl.Int64),
            within=(counts & season).sum().cast(pl.Int64),
        )
        known = counted.filter((history.cutoff - pl.col("first") >= self.years * YEAR) & (pl.col("units") > 0))
        share = (pl.col("within") / pl.col("units")).cast(pl.Float32)
        return known.select(key, share.alias(f"{key}_season_share"))
