"""How likely the customer needs something of the candidate's category in the coming week, by habit and season.

The "general need" of a public solution of the H&M competition: first what kind of article a customer will buy, by habit
and by season, and only then which one.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.core.plans import TODAY, decayed, packed, ratio, unpacked
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS, YEAR
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Level

AROUND = 7  # days before and after a week that belong to its season
LATELY = 28  # days


class Need(Feature):
    """The category's season, its share of the customer's purchases, the product of both, and how overdue it is."""

    by: Level = "product_type"
    """What a category is: any code column of the articles, or `article`, for what is used up and bought again."""
    half_life: Annotated[float, Field(gt=0)] = 180.0
    """Days after which a purchase counts half as much for the category's share."""
    prior: Annotated[float, Field(gt=0)] = 5.0
    """Purchases of an average customer that are added to each customer's own; more pulls the shares of customers with
    few purchases towards everybody's."""
    smoothing: Annotated[float, Field(gt=0)] = 30.0
    """Units of an average season that are added to a category's; more pulls the season of small categories towards
    1, which means an average time of the year."""

    def needs(self) -> frozenset[str]:
        return frozenset() if self.by == "article" else frozenset({self.by})

    def learn(self, history: History) -> Learned:
        """Return `levels` (article, level) and `categories`.

        `categories` is (level, season, now, usual share of sales, usual gap in days).
        """
        levels = history.articles.select("article", level=pl.col(self.by)).drop_nulls()
        lately = history.last(YEAR + AROUND).join(levels, on="article")
        age = history.cutoff - pl.col("day")
        after = YEAR - DAYS - AROUND  # sales later than this count: the coming week a year ago, and the days around it
        sales = lately.group_by("level").agg(
            then=(age > after).sum().cast(pl.Int64),
            late=(age <= LATELY).sum().cast(pl.Int64),
            year=(age <= YEAR).sum().cast(pl.Int64),
        )
        total = {name: pl.col(name).sum() for name in ("then", "late", "year")}
        seasons = sales.select(
            "level",
            season=self._against_year("then", DAYS + 2 * AROUND),
            now=self._against_year("late", LATELY),
            usual=ratio(pl.col("year"), total["year"]),
            # If the data don't reach back a year, the season is unknown.
            known=total["then"] > 0,
        ).with_columns(season=pl.when(pl.col("known")).then(pl.col("season")))
        gaps = self._days(lately).group_by("level").agg(pl.col("span").sum(), pl.col("gaps").sum())
        usual_gap = pl.when(pl.col("gaps") > 0).then(pl.col("span") / pl.col("gaps"))
        known = seasons.drop("known").join(gaps.select("level", usual_gap=usual_gap), on="level")
        return {"levels": levels, "categories": known}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `bought` (customer, level, weight, days since, span, gaps) and `totals` (customer, total weight)."""
        bought = audience.transactions.join(learned["levels"], on="article")
        weight = decayed(audience.cutoff, self.half_life)
        weights = bought.group_by("customer", "level").agg(weight=weight.sum())
        since = self._days(bought).with_columns(since=audience.cutoff - pl.col("last")).drop("last")
        return {
            "bought": weights.join(since, on=["customer", "level"]),
            "totals": weights.group_by("customer").agg(total=pl.col("weight").sum()),
        }

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        asked = pairs.select("customer", "article")
        for name, keys in {
            "levels": ["article"],
            "categories": ["level"],
            "totals": ["customer"],
            "bought": ["customer", "level"],
        }.items():
            asked = asked.join(learned[name], on=keys, how="left", maintain_order="left")
        own, total = (pl.col(name).fill_null(0) / TODAY for name in ("weight", "total"))
        share = (own + self.prior * pl.col("usual")) / (total + self.prior)
        # The mean of the customer's own gaps and one usual gap.
        gap = (pl.col("span") + pl.col("usual_gap")) / (pl.col("gaps") + 1)
        columns = {
            "season": pl.col("season"),
            "now": pl.col("now"),
            "share": share,
            "coming": share * pl.col("season"),
            "overdue": pl.col("since") / gap,
        }
        return asked.select(
            "customer", "article", **{f"need_{self.by}_{name}": it.cast(pl.Float32) for name, it in columns.items()}
        )

    def _against_year(self, units: str, days: int) -> pl.Expr:
        """Return the units sold in `days` days relative to the year's mean over the same number of days."""
        usual = pl.col("year") * (days / YEAR)
        return (pl.col(units) + self.smoothing) / (usual + self.smoothing)

    def _days(self, bought: pl.LazyFrame) -> pl.LazyFrame:
        """Return (customer, level, last day, days from the first to the last, number of gaps between shopping days)."""
        visits = bought.select("day", pair=packed("customer", "level")).unique()
        spans = visits.group_by("pair").agg(
            last=pl.col("day").max(), span=pl.col("day").max() - pl.col("day").min(), gaps=pl.len().cast(pl.Int32) - 1
        )
        return spans.select(*unpacked("pair", "customer", "level"), "last", "span", "gaps")
