"""How the table of all candidates is laid out: the names of its columns, and the order that needs no model."""

from collections.abc import Iterable

import polars as pl

KEYS = ("customer", "article")
RANK = "_rank"
SCORE = "_score"
WORTH = "worth"
WORTH_ONE = 1 << 30  # steps of a rate of 1, which is kept as a whole number so that all engines order alike
TOGETHER = ("retrievers", "best_rank", WORTH)  # columns about all retrievers; the last only where quotas choose
MOST = 9_999  # candidates a customer of one retriever; orders of 1,600 retrievers then stay exact in float32


def merged_order(retrievers: Iterable[str]) -> pl.Expr:
    """A score that puts candidates in the order of the retrievers: all of the first by rank, then the second's rest.

    A candidate that none of `retrievers` proposed is null. This is how hand-made solutions chain their rules.
    """
    first_to_propose = pl.lit(None, dtype=pl.Int32)
    for position, name in reversed(list(enumerate(retrievers))):
        rank = pl.col(f"{name}{RANK}")
        first_to_propose = pl.when(rank.is_not_null()).then(-(position * (MOST + 1) + rank)).otherwise(first_to_propose)
    return first_to_propose
