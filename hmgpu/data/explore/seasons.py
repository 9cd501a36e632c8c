"""The months in which groups of articles sell."""

import polars as pl

from hmgpu.core.html.blocks import Heat, Section
from hmgpu.data.explore.whole import Whole

LEAD = (
    "A group's share of a calendar month's units, as a multiple of its mean share over the months: 1 is average, 2 is "
    "twice the average. All years are taken together; the groups that sell most come first."
)
GROUPS = {"garment_group": "Garment groups", "product_group": "Product groups"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST = 20  # groups shown


def seasons(whole: Whole) -> Section:
    """The section with one heat map of groups by month for each kind of group that the data has."""
    there = [column for column in GROUPS if whole.history.has(column)]
    maps = [Heat(GROUPS[c], "group", MONTHS, by_month(whole, c), most=2.0, percent=False) for c in there]
    return Section("Seasons", LEAD, maps)


def by_month(whole: Whole, column: str) -> list[tuple[str, list[float | None]]]:
    """Rows of (group, its index in each month); None where no group sold anything; the best-selling group first."""
    groups = whole.history.articles.select("article", group=column)
    daily = whole.history.transactions.join(groups, on="article").group_by("group", "day").agg(units=pl.len())
    table = whole.engine.collect(daily.sort("group", "day", nulls_last=True))
    # From here on the table is small and stays in Polars, which has dates.
    months = table.group_by("group", month=pl.from_epoch("day", "d").dt.month()).agg(pl.col("units").sum())
    shares = months.with_columns(share=pl.col("units") / pl.col("units").sum().over("month"))
    there = shares["month"].unique().to_list()
    by_group = {(group, month): part for group, month, part in shares.select("group", "month", "share").iter_rows()}
    sold = table.group_by("group").agg(pl.col("units").sum()).sort("units", "group", descending=[True, False])
    names, rows = _names(whole, column), []
    for group in sold["group"].head(MOST):
        monthly = {month: by_group.get((group, month), 0.0) for month in sorted(there)}
        usual = sum(monthly.values()) / len(there)
        index = [monthly[month] / usual if month in monthly else None for month in range(1, len(MONTHS) + 1)]
        rows.append((names.get(group, "unknown"), index))
    return rows


def _names(whole: Whole, column: str) -> dict[int | None, str]:
    """Names of the groups by code; where the data has no names, the codes as the retailer writes them."""
    name = f"{column}_name"
    if not whole.history.has(name):
        return dict(whole.engine.collect(whole.store.values(column)).iter_rows())
    named = whole.history.articles.group_by(column).agg(pl.col(name).min())
    return {code: text for code, text in whole.engine.collect(named).iter_rows() if text is not None}
