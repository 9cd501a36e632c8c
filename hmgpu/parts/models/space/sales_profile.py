"""Vectors of articles from their sales: when, how often, at what price, in which channel, and the buyers' age."""

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS

MOST = 3.0
"""Standard deviations from the mean at which numbers are cut off."""


def sales_vectors(history: History, weeks: int, engine: Engine) -> pl.DataFrame:
    """Return vectors of length 1 (article, `v…` int16), one row for each article sold in the last `weeks` weeks.

    They consist of each week's share of the article's units, the logarithm of the units, and, if the retailer has
    these columns, the mean price, the share of the first channel and the mean age of the buyers. All are standardised,
    so that an average article is near 0.
    """
    totals = engine.collect(sales_totals(history, weeks).sort("article"))
    shares = _standardised(totals.select(pl.col(f"week{number}") / pl.col("units") for number in range(weeks)))
    means = {
        "units": pl.col("units").log(),
        "paid": (pl.col("paid") / pl.col("units")).log1p(),
        "first_channel": pl.col("first_channel") / pl.col("units"),
        "years": pl.col("years") / pl.col("buyers"),
    }
    others = _standardised(totals.select(mean for name, mean in means.items() if name in totals.columns))
    # All weeks together weigh as much as one of the other numbers.
    found = torch.from_numpy(np.hstack([shares / np.sqrt(weeks), others]))
    keys = torch.from_numpy(totals["article"].to_numpy().copy())
    return quantised(keys, torch.nn.functional.normalize(found, dim=1), "article")


def sales_totals(history: History, weeks: int) -> pl.LazyFrame:
    """Return (article, units, `week…`) for the last `weeks` weeks; `week0` has the units of the week before the cutoff.

    If the retailer has the columns, also `paid` (price units), `first_channel` (units), `years` (the sum of the buyers'
    ages) and `buyers` (how many of these ages are known).
    """
    sold = history.last(weeks * DAYS)
    week = (history.cutoff - 1 - pl.col("day")) // DAYS
    sums = {"units": pl.len()} | {f"week{number}": (week == number).sum() for number in range(weeks)}
    if history.has("price"):
        sums["paid"] = pl.col("price").cast(pl.Int64).sum()
    if history.has("channel"):
        sums["first_channel"] = (pl.col("channel") == 0).sum()
    if history.has("age"):
        sold = sold.join(history.customers.select("customer", "age"), on="customer", how="left")
        sums |= {"years": pl.col("age").cast(pl.Int64).sum(), "buyers": pl.col("age").is_not_null().sum()}
    return sold.group_by("article").agg(**sums)


def _standardised(columns: pl.DataFrame) -> np.ndarray:
    """Scale each column to mean 0 and standard deviation 1, cut off at MOST; 0 where a value is missing. float64."""
    centred = pl.all() - pl.all().mean()
    known = columns.select(pl.all().fill_nan(None)).select(centred)
    scaled = known.select((pl.all() / pl.all().std(ddof=0)).fill_nan(None).fill_null(0.0).clip(-MOST, MOST))
    return scaled.to_numpy()
