"""What customers buy again, and what they buy several units of."""

import math

import polars as pl

from hmgpu.core.html.blocks import Facts, Section, count, share
from hmgpu.core.html.lines import Lines
from hmgpu.data.explore.whole import WEEK, Whole

LEAD = (
    "A purchase is a customer's article on a day, however many units. It is a repurchase if the customer bought the "
    "article on an earlier day, so the share starts near zero where the data begins."
)
ROWS = 4_000_000  # transactions processed at once
BULK = 5  # units of an article on a day


def repurchases(whole: Whole) -> Section:
    """The section with the share of repurchases a week, and how many purchases are of several units."""
    table = weekly(whole)
    weeks = whole.by_week(table.lazy().select(WEEK, repurchases=pl.col("again") / pl.col("purchases")))
    sums = table.sum().row(0, named=True)
    facts = {
        "purchases": count(sums["purchases"]),
        "repurchases": share(sums["again"] / sums["purchases"]),
        "purchases of several units": share(sums["several"] / sums["purchases"]),
        f"purchases of {BULK} units or more": share(sums["bulk"] / sums["purchases"]),
    }
    lines = Lines("Share of a week's purchases that are repurchases", WEEK, whole.weeks, weeks, share)
    return Section("Repurchases", LEAD, [Facts(facts), lines])


def weekly(whole: Whole) -> pl.DataFrame:
    """Count purchases and repurchases by week (week, purchases, again, several, bulk), sorted by week.

    There are nearly as many purchases as rows, so the customers are processed slice by slice to save memory.
    """
    slices = math.ceil(whole.store.manifest.rows / ROWS)
    parts = []
    for number in range(slices):
        rows = whole.history.transactions.filter(pl.col("customer") % slices == number)
        purchases = rows.group_by("customer", "article", "day").agg(units=pl.len())
        # A join, not a window: the streaming engine has no windows and would hold the whole slice.
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
