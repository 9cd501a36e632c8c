"""When and how often articles sold: what negatives are sampled by, and how well each sold before a moment."""

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.sequences.settings import SASRecSettings

WEEKS = (1, 4)
"""Weeks before a moment whose purchases tell how well an article sells."""
EDGES = np.array([1, *(edge for power in range(1, 17) for edge in (2**power, 3 * 2 ** (power - 1)))])
"""Purchases from which on an article is in the next band; each band is half an octave wide."""


def supply(history: History, articles: pl.DataFrame, settings: SASRecSettings, engine: Engine) -> pl.DataFrame:
    """Return what negatives are sampled by, one row for each of `articles` in their order.

    The columns are `bought`, the purchases that are predicted (int64), and the days `first` and `last` int32 between
    which an article was on sale.
    """
    sold = history.transactions.select("customer", "day", "article").unique()
    inside = pl.col("day") >= history.cutoff - DAYS * settings.weeks
    facts = sold.group_by("article").agg(
        bought=inside.sum().cast(pl.Int64), first=pl.col("day").min(), last=pl.col("day").max() + settings.on_sale
    )
    found = articles.select("article").join(engine.collect(facts), on="article", how="left", maintain_order="left")
    return found.drop("article").fill_null(0)


def sales_bands(history: History, articles: pl.DataFrame, back: int, engine: Engine) -> npt.NDArray[np.uint8]:
    """Return in which band of sales each article was, at the cutoff and at the same weekday of the weeks before it.

    Args:
        history: with the purchases that count.
        articles: (article, place, …), places from 1 on.
        back: how many weeks before the cutoff to go back.
        engine: that counts.

    Returns:
        (back + 1, articles, windows): [k, i, j] tells of the last `WEEKS[j]` weeks before `7 * k` days before the
        cutoff. In band 0 nobody bought it; see `EDGES`.
    """
    weeks = back + max(WEEKS)
    sold = history.last(DAYS * weeks).select("customer", "day", "article").unique()
    ago = ((history.cutoff - 1 - pl.col("day")) // DAYS).alias("ago")
    counts = engine.collect(sold.group_by(ago, "article").agg(bought=pl.len().cast(pl.Int64)))
    known = counts.join(articles.select("article", "place"), on="article")
    weekly = np.zeros((weeks, articles.height), dtype=np.int64)
    weekly[known["ago"].to_numpy(), known["place"].to_numpy() - 1] = known["bought"].to_numpy()
    until = np.concatenate([np.zeros_like(weekly[:1]), weekly.cumsum(axis=0)])
    totals = [until[window : window + back + 1] - until[: back + 1] for window in WEEKS]
    return np.searchsorted(EDGES, np.stack(totals, axis=-1), side="right").astype(np.uint8)
