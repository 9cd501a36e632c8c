"""Whether a customer bought lately, long ago, or never: what retrievers find differs most between these."""

import polars as pl

from hmgpu.data.store import History

SEGMENTS = ("active", "lapsed", "new")
ACTIVE_DAYS = 28  # who bought within this many days before the week is active, who bought earlier lapsed


def segments(history: History, customers: pl.LazyFrame) -> pl.LazyFrame:
    """(customer, segment int8): the position in `SEGMENTS` of each of `customers` (customer)."""
    last = history.transactions.group_by("customer").agg(since=history.cutoff - pl.col("day").max())
    known = customers.select("customer").join(last, on="customer", how="left")
    lapsed = (pl.col("since") > ACTIVE_DAYS).cast(pl.Int8)
    return known.select("customer", segment=pl.when(pl.col("since").is_null()).then(2).otherwise(lapsed).cast(pl.Int8))
