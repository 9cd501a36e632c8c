"""Prices paid, in the unit of the retailer's own files."""

import polars as pl

from hmgpu.core.html.blocks import Bars, Grid, Section, count, share
from hmgpu.core.html.lines import Lines
from hmgpu.core.words import rounded
from hmgpu.data.explore.whole import WEEK, Whole, total

LEAD = "Prices paid, as the column {} has them{}."
SCALED = "; H&M's public prices are scaled: a price of 0.0169 may have been 9.99"
QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
BANDS = 16  # bands of equal width, up to the price that 99 % of units don't exceed


def prices(whole: Whole) -> Section:
    """The section with quantiles and bands of prices, and the mean price a week; empty if the data has no prices."""
    if not whole.history.has("price"):
        return Section("Prices", "", [])
    manifest = whole.store.manifest
    unit, currency = float(manifest.price_unit), manifest.currency
    said = f", in {currency}" if currency else SCALED if manifest.is_hm else ""
    lead = LEAD.format(whole.store.raw_name("transactions", "price"), said)
    rows = whole.history.transactions
    paid = rows.group_by("price").agg(units=pl.len())
    table = whole.engine.collect(paid.sort("price")).drop_nulls()
    weekly = whole.by_week(
        rows.group_by(whole.week().alias(WEEK)).agg(mean=pl.col("price").cast(pl.Int64).sum() * unit / pl.len())
    )
    quantiles = [rounded(price * unit) for price in _quantiles(table)]
    blocks = [
        Grid(
            "This share of the units cost at most so much",
            ["", *(f"{100 * q:.0f} %" for q in QUANTILES)],
            [["price", *quantiles]],
        ),
        Bars("Units by price", _bands(table, unit)),
        Lines("Mean price a week", WEEK, whole.weeks, weekly, rounded),
    ]
    return Section("Prices", lead, blocks)


def _quantiles(table: pl.DataFrame) -> list[int]:
    """For each q of `QUANTILES`, the price that the share q of the units doesn't exceed."""
    running, sold = table["units"].cum_sum(), total(table["units"])
    return [int(table["price"][int((running < q * sold).sum())]) for q in QUANTILES]


def _bands(table: pl.DataFrame, unit: float) -> list[tuple[str, float, str]]:
    top, sold = _quantiles(table)[-1], total(table["units"])
    width = max(1, -(-top // BANDS))
    banded = table.group_by(band=pl.col("price").clip(upper_bound=width * BANDS) // width).agg(pl.col("units").sum())
    rows = []
    for band, units in banded.sort("band").iter_rows():
        low, high = rounded(band * width * unit), rounded((band + 1) * width * unit)
        name = f"from {low}" if band == BANDS else f"{low} – {high}"
        rows.append((name, units / sold, f"{count(units)} · {share(units / sold)}"))
    return rows
