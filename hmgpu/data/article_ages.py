"""How long articles had been selling: of those that nobody had bought yet, least is known."""

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS

AGES = ("never sold", "under 1 week", "under 4 weeks", "older")
"""By the days from an article's first sale to the cutoff; `never sold` are those without a sale before it."""


def article_ages(history: History) -> pl.LazyFrame:
    """Return (article, age int8: position in `AGES`) of all articles that were sold; the others were never sold."""
    first = history.transactions.group_by("article").agg(since=history.cutoff - pl.col("day").min())
    age = pl.when(pl.col("since") < DAYS).then(1).when(pl.col("since") < 4 * DAYS).then(2).otherwise(3)
    return first.select("article", age=age.cast(pl.Int8))
