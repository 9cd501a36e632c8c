"""How much customers buy, how often, how recently, and at what age."""

import polars as pl

from hmgpu.core.html.blocks import Bars, Facts, Grid, Section, count, share
from hmgpu.core.html.lines import Lines
from hmgpu.data.explore.whole import WEEK, Whole, doubling, total

LEAD = (
    "Customers who ever bought. A few of them buy very much: the bands show how many, and their share of all units. "
    "Ages are as of the export of the customer table."
)
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
LATELY = (28, 91, 364)  # days
YEARS = 5  # width of an age band


def buyers(whole: Whole) -> Section:
    """The section with purchases a customer, first purchases a week, and ages."""
    day = pl.col("day")
    sums = {"units": pl.len(), "days": day.n_unique(), "first": day.min(), "last": day.max()}
    table = whole.engine.collect(whole.history.transactions.group_by("customer").agg(**sums).sort("customer"))
    weekly = whole.by_week(table.lazy().group_by(whole.week("first").alias(WEEK)).agg(customers=pl.len()))
    blocks = [
        Facts(_facts(whole, table)),
        _quantiles(table),
        *_bands(table),
        Lines("Customers who buy for the first time", WEEK, whole.weeks, weekly),
    ]
    return Section("Customers", LEAD, blocks + ([*_ages(whole, table)] if whole.history.has("age") else []))


def _facts(whole: Whole, table: pl.DataFrame) -> dict[str, str]:
    ever, units = table.height, table["units"]
    most = units.sort(descending=True).head(max(1, ever // 100))
    lately = {
        f"bought in the last {days} days": share(total(table["last"] > whole.store.last_day - days) / ever)
        for days in LATELY
    }
    return {
        "ever bought": count(ever),
        "bought one unit": share(total(units == 1) / ever),
        "bought on one day only": share(total(table["days"] == 1) / ever),
        "units bought by the top 1 % of customers": share(total(most) / total(units)),
    } | lately


def _quantiles(table: pl.DataFrame) -> Grid:
    headings = ["a customer", *("most" if q == 1 else f"{100 * q:.0f} %" for q in QUANTILES)]
    rows = [
        [name, *(count(table[column].quantile(q, "equiprobable") or 0) for q in QUANTILES)]
        for name, column in (("units", "units"), ("days with a purchase", "days"))
    ]
    return Grid("This share of the customers bought at most so much", headings, rows)


def _bands(table: pl.DataFrame) -> list[Bars]:
    units, ever, sold = table["units"], table.height, total(table["units"])
    customers = [(name, number / ever, f"{count(number)} · {share(number / ever)}") for name, number in doubling(units)]
    theirs = [(name, part / sold, share(part / sold)) for name, part in doubling(units, units)]
    return [Bars("Customers by the units they bought", customers), Bars("Their share of all units", theirs)]


def _ages(whole: Whole, table: pl.DataFrame) -> list[Bars]:
    people = whole.history.customers.select("customer", band=pl.col("age") // YEARS * YEARS)
    counted = whole.engine.collect(
        people.join(table.lazy(), on="customer", how="left")
        .group_by("band")
        .agg(customers=pl.len(), units=pl.col("units").cast(pl.Int64).sum())
        .sort("band", nulls_last=True)
    )
    bands = ["unknown" if band is None else f"{band}–{band + YEARS - 1}" for band in counted["band"]]
    return [
        Bars(title, [(band, n, count(n)) for band, n in zip(bands, counted[column], strict=True)])
        for title, column in (("Customers by age", "customers"), ("Units by age", "units"))
    ]
