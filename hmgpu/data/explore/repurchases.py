"""What customers buy again, and what they buy by the dozen."""

import math

import polars as pl

from hmgpu.core.html.blocks import Facts, Section, count, share
from hmgpu.core.html.lines import Lines
from hmgpu.data.explore.whole import WEEK, Whole

LEAD = (
    "A purchase is an article on a day, however many units. It is a repurchase if the customer bought the article "
    "on an earlier day, so the line begins near nothing with the data."
)
ROWS = 4_000_000  # transactions worked on at once
BULK = 5  # units of an article on a day


def repurchases(whole: Whole) -> Section:
    """The share of repurchases a week, and how many purchases are of several units."""
    table = weekly(whole)
    weeks = whole.by_week(table.lazy().select(WEEK, repurchases=pl.col("again") / pl.col("purchases")))
    sums = table.sum().row(0, named=True)
    facts = {
        "purchases": count(sums["purchases"]),
        "of them repurchases": share(sums["again"] / sums["purchases"]),
        "of several units": share(sums["several"] / sums["purchases"]),
        f"of {BULK} units and more": share(sums["bulk"] / sums["purchases"]),
    }
    lines = Lines("Share of a week's purchases that are repurchases", WEEK, whole.weeks, weeks, share)
    return Section("Repurchases", LEAD, [Facts(facts), lines])


def weekly(whole: Whole) -> pl.DataFrame:
    """(week, purchases, of them again, several, bulk), sorted by week.

    There are nearly as many purchases as rows, so one slice of the customers is worked on after the other.
    """
    slices = math.ceil(whole.store.manifest.rows / ROWS)
    parts = []
    for number in range(slices):
        rows = whole.history.transactions.filter(pl.col("customer") % slices == number)
        purchases = rows.group_by("customer", "article", "day").agg(units=pl.len())
        # Joined, not over a window: the streaming engine has no windows and would hold all of the slice.
        first = purchases.group_by("customer", "article").agg(first=pl.col("day").min())
        dated = purchases.join(first, on=["customer", "article"])
        conditions = {
            "again": pl.col("day") > pl.col("first"),
            "several": pl.col("units") > 1,
            "bulk": pl.col("units") >= BULK,
        }
        sums = {name: condition.cast(pl.Int64).sum() for name, condition in conditions.items()}
        counted = dated.group_by(whole.week().alias(WEEK)).agg(purchases=pl.len().cast(pl.Int64), **sums)
        parts.append(whole.engine.collect(counted))
    return pl.concat(parts).group_by(WEEK).sum().sort(WEEK)
