"""Customers who bought recently, long ago or never: between these, what retrievers find differs most."""

import polars as pl

from hmgpu.data.store import History

SEGMENTS = ("active", "lapsed", "new")
ACTIVE_DAYS = 28
"""Customers who bought in this many days before the cutoff are active; customers who bought only earlier lapsed."""


def segments(history: History, customers: pl.LazyFrame) -> pl.LazyFrame:
    """Look up the segment of `customers` (customer): a plan of (customer, segment int8: position in `SEGMENTS`)."""
    last = history.transactions.group_by("customer").agg(since=history.cutoff - pl.col("day").max())
    known = customers.select("customer").join(last, on="customer", how="left")
    lapsed = (pl.col("since") > ACTIVE_DAYS).cast(pl.Int8)
    return known.select("customer", segment=pl.when(pl.col("since").is_null()).then(2).otherwise(lapsed).cast(pl.Int8))
