"""What was bought of the candidates, and which of the others a ranker is shown."""

import polars as pl

from hmgpu.plans import scattered, top_n
from hmgpu.rankers import KEYS, LABEL


def labelled(candidates: pl.LazyFrame, bought: pl.LazyFrame) -> pl.LazyFrame:
    """`candidates` in their order, with int8 `label`: 1 for those in `bought` (customer, article), else 0."""
    marked = bought.select(*KEYS, pl.lit(1, dtype=pl.Int8).alias(LABEL))
    return candidates.join(marked, on=KEYS, how="left", maintain_order="left").with_columns(pl.col(LABEL).fill_null(0))


def sampled(candidates: pl.LazyFrame, bought: pl.LazyFrame, negatives: int | None, seed: int) -> pl.LazyFrame:
    """Those of `candidates` (customer, article) that teach: of customers with a recalled purchase, all that was bought
    and a sample of the rest.

    Args:
        bought: (customer, article).
        negatives: candidates not bought kept of each customer, drawn at random; None keeps all.
    """
    marked = labelled(candidates, bought).with_columns(found=pl.col(LABEL).max().over("customer"))
    recalled = marked.filter(pl.col("found") > 0).drop("found")
    if negatives is None:
        return recalled.drop(LABEL)
    positives = recalled.filter(pl.col(LABEL) == 1)
    others = recalled.filter(pl.col(LABEL) == 0).with_columns(draw=scattered(KEYS, seed))
    drawn = top_n(others, negatives, by="customer", score="draw").drop("draw", "rank")
    return pl.concat([positives, drawn]).drop(LABEL)
