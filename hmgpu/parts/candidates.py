"""The layout of the candidate table: the names of its columns, and an order of candidates that needs no model."""

from collections.abc import Iterable

import polars as pl

KEYS = ("customer", "article")
RANK = "_rank"
SCORE = "_score"
WORTH = "worth"
WORTH_ONE = 1 << 30  # a rate of 1: rates are stored as whole numbers, so that all engines order them alike
TOGETHER = ("retrievers", "best_rank", WORTH)  # columns about all retrievers together; WORTH only with quotas
MOST = 9_999  # candidates that one retriever may propose to a customer; keeps `merged_order` exact in float32


def merged_order(retrievers: Iterable[str]) -> pl.Expr:
    """Return a score that orders candidates by retriever: all of the first one by rank, then the rest of the second.

    The score is null for a candidate that none of `retrievers` proposed. Hand-written solutions chain their rules in
    this way. Exact in float32 for up to 1,600 retrievers, since a rank is at most MOST.
    """
    first_to_propose = pl.lit(None, dtype=pl.Int32)
    for position, name in reversed(list(enumerate(retrievers))):
        rank = pl.col(f"{name}{RANK}")
        first_to_propose = pl.when(rank.is_not_null()).then(-(position * (MOST + 1) + rank)).otherwise(first_to_propose)
    return first_to_propose
