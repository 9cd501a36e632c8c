"""Purchases of customers and articles, as a table and as a sparse matrix of weights."""

from typing import TYPE_CHECKING

import polars as pl

from hmgpu.core.plans import TODAY, decayed
from hmgpu.data.store import History

if TYPE_CHECKING:  # the real import takes time, which other parts need not pay
    from scipy.sparse import csr_matrix


def weighted(history: History, days: int, half_life: float) -> pl.LazyFrame:
    """Return (customer, article, weight int64): recent purchases, weighted by their age in steps of 2^-31.

    Only purchases of the last `days` days count; the weight halves every `half_life` days.
    """
    weight = decayed(history.cutoff, half_life, days)
    return history.last(days).group_by("customer", "article").agg(weight=weight.sum())


def often_bought(purchases: pl.LazyFrame, support: int) -> pl.LazyFrame:
    """Return (article) of which `purchases` (article, …) hold at least `support` units, sorted."""
    units = purchases.group_by("article").agg(units=pl.len())
    return units.filter(pl.col("units") >= support).select("article").sort("article")


def matrix(bought: pl.DataFrame, articles: pl.Series) -> "csr_matrix":
    """Return weights in units as a float32 matrix (customers of `bought`, `articles`), customers in order of keys.

    Args:
        bought: (customer, article, weight in steps of 2^-31), for `articles` only.
        articles: keys in the order of the columns.
    """
    from scipy.sparse import csr_matrix

    places = bought.select(
        row=pl.col("customer").rank("dense").cast(pl.Int32) - 1,
        column=pl.col("article").replace_strict(articles, pl.int_range(articles.len(), eager=True)),
    )
    weights = (bought["weight"] / TODAY).cast(pl.Float32).to_numpy()
    shape = (bought["customer"].n_unique(), articles.len())
    return csr_matrix((weights, (places["row"].to_numpy(), places["column"].to_numpy())), shape=shape)
