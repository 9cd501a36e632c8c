"""Which groups of articles sell when in the year."""

import polars as pl

from hmgpu.core.html.blocks import Heat, Section
from hmgpu.data.explore.whole import Whole

LEAD = (
    "A group's share of a calendar month's units, as a multiple of its mean share over the months: 1 is as ever, 2 is "
    "twice as much. All years are taken together; the groups that sell most stand first."
)
GROUPS = {"garment_group": "Garment groups", "product_group": "Product groups"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST = 20  # groups shown


def seasons(whole: Whole) -> Section:
    """A heat map of months for each kind of group that the data has."""
    there = [column for column in GROUPS if whole.history.has(column)]
    maps = [Heat(GROUPS[c], "group", MONTHS, by_month(whole, c), most=2.0, percent=False) for c in there]
    return Section("Seasons", LEAD, maps)


def by_month(whole: Whole, column: str) -> list[tuple[str, list[float | None]]]:
    """(group, its index in each month, None where nothing at all was sold), the group that sold most first."""
    groups = whole.history.articles.select("article", group=column)
    daily = whole.history.transactions.join(groups, on="article").group_by("group", "day").agg(units=pl.len())
    table = whole.engine.collect(daily.sort("group", "day", nulls_last=True))
    # Days are few: from here on dates may be dates.
    months = table.group_by("group", month=pl.from_epoch("day", "d").dt.month()).agg(pl.col("units").sum())
    shares = months.with_columns(share=pl.col("units") / pl.col("units").sum().over("month"))
    there = shares["month"].unique().to_list()
    by_group = {(group, month): part for group, month, part in shares.select("group", "month", "share").iter_rows()}
    sold = table.group_by("group").agg(pl.col("units").sum()).sort("units", "group", descending=[True, False])
    names, rows = _names(whole, column), []
    for group in sold["group"].head(MOST):
        of_month = {month: by_group.get((group, month), 0.0) for month in sorted(there)}
        usual = sum(of_month.values()) / len(there)
        index = [of_month[month] / usual if month in of_month else None for month in range(1, len(MONTHS) + 1)]
        rows.append((names.get(group, "unknown"), index))
    return rows


def _names(whole: Whole, column: str) -> dict[int | None, str]:
    """By code what the groups are called; the codes themselves as the retailer writes them where they have no names."""
    name = f"{column}_name"
    if not whole.history.has(name):
        return dict(whole.engine.collect(whole.store.values(column)).iter_rows())
    named = whole.history.articles.group_by(column).agg(pl.col(name).min())
    return {code: text for code, text in whole.engine.collect(named).iter_rows() if text is not None}
