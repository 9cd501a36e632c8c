"""Articles by how they sell: when, how often, at what price, in which channel and to whom."""

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS

MOST = 3.0
"""Standard deviations from the mean; what is further away counts as this far."""


def sales_vectors(history: History, weeks: int, engine: Engine) -> pl.DataFrame:
    """(article, `v…` int16) of length 1, one row for each article sold in the last `weeks` weeks.

    Each week's share of the article's units, the logarithm of their number, and where the retailer has these columns
    their mean price, the share of the first channel and the mean age of the buyers; all standardised, so that an
    average article is nowhere.
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
    # Together the weeks weigh as much as one of the others.
    found = torch.from_numpy(np.hstack([shares / np.sqrt(weeks), others]))
    keys = torch.from_numpy(totals["article"].to_numpy().copy())
    return quantised(keys, torch.nn.functional.normalize(found, dim=1), "article")


def sales_totals(history: History, weeks: int) -> pl.LazyFrame:
    """(article, units, `week…`: those of each week back from the cutoff) of the last `weeks` weeks.

    With `paid` (price units), `first_channel` (units), `years` and `buyers` (their ages and how many ages are known)
    where the retailer has these columns.
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
    """float64, each column with mean 0 and deviation 1, bounded by MOST; 0 where nothing is known."""
    centred = pl.all() - pl.all().mean()
    known = columns.select(pl.all().fill_nan(None)).select(centred)
    scaled = known.select((pl.all() / pl.all().std(ddof=0)).fill_nan(None).fill_null(0.0).clip(-MOST, MOST))
    return scaled.to_numpy()
