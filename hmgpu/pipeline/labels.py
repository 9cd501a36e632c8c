"""What was bought of the candidates, and which other articles a ranker is shown beside them."""

from collections.abc import Iterable

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.examples import KEYS, LABEL
from hmgpu.parts.negative_sampler import Negatives, Teaching


def labelled(candidates: pl.LazyFrame, bought: pl.LazyFrame) -> pl.LazyFrame:
    """`candidates` in their order, with int8 `label`: 1 for those in `bought` (customer, article), else 0."""
    marked = bought.select(*KEYS, pl.lit(1, dtype=pl.Int8).alias(LABEL))
    return candidates.join(marked, on=KEYS, how="left", maintain_order="left").with_columns(pl.col(LABEL).fill_null(0))


def taught(
    candidates: pl.LazyFrame, sold: pl.LazyFrame, history: History, negatives: Iterable[Negatives], seed: int
) -> pl.LazyFrame:
    """(customer, article) that teach a ranker: what was bought of the candidates, and what `negatives` draw beside.

    Customers who bought none of their candidates are left out: they teach no order.

    Args:
        candidates: (customer, article).
        sold: (day, customer, article) bought in the week by anybody.
        history: what was known before the week.
    """
    bought = sold.select(*KEYS).unique()
    found = candidates.select(*KEYS).join(bought, on=KEYS, how="semi")
    others = candidates.select(*KEYS).join(found.select("customer").unique(), on="customer", how="semi")
    week = Teaching(others.join(bought, on=KEYS, how="anti"), found, sold, history, seed)
    drawn = pl.concat([each.draw(week).select(*KEYS) for each in negatives]).unique()
    return pl.concat([found, drawn.join(bought, on=KEYS, how="anti")])
