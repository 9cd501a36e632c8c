"""All strategies' candidates in one table: who proposed what, how highly, and how many agree."""

from collections.abc import Iterable, Mapping

import polars as pl

from hmgpu.core.plans import packed, unpacked

RANK = "_rank"
SCORE = "_score"
WORTH = "worth"
WORTH_ONE = 1 << 30  # steps of a rate of 1, which is kept as a whole number so that all engines order alike
TOGETHER = ("strategies", "best_rank", WORTH)  # columns about all strategies; the last only where quotas choose
MOST = 9_999  # candidates a customer of one strategy; orders of 1,600 strategies then stay exact in float32


def merge(retrieved: Mapping[str, pl.LazyFrame], kept: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Candidates of all strategies, each pair once.

    Args:
        retrieved: for each strategy by name what its `retrieve` returned.
        kept: (customer, article, worth) of those that are wanted, each pair once; None: all.

    Returns:
        (customer, article, `<name>_score` float32 and `<name>_rank` int32 of every strategy or null where it did not
        propose the pair, `strategies` int32: how many did, `best_rank` int32 among them, with `kept` its `worth`),
        sorted by both keys.
    """
    pair = packed("customer", "article").alias("pair")
    proposals = {
        name: frame.select(
            pair,
            **{f"{name}{SCORE}": pl.col("score").cast(pl.Float32), f"{name}{RANK}": pl.col("rank").cast(pl.Int32)},
        ).sort("pair")
        for name, frame in retrieved.items()
    }
    if kept is None:
        merged = pl.concat(frame.select("pair") for frame in proposals.values()).unique().sort("pair")
    else:
        merged = kept.select(pair, WORTH).sort("pair")
    merged = merged.with_columns(strategies=pl.lit(0, pl.Int32), best_rank=pl.lit(None, pl.Int32))
    # Polars merges what is sorted on both sides, in a third of the time that hashing takes.
    for name, frame in proposals.items():
        rank, best = pl.col(f"{name}{RANK}"), pl.col("best_rank")
        # Step by step: cuDF has no minimum over columns, and as one expression it would double with every strategy.
        merged = merged.join(frame, on="pair", how="left", maintain_order="left").with_columns(
            strategies=pl.col("strategies") + rank.is_not_null().cast(pl.Int32),
            best_rank=pl.when(best.is_null() | (rank < best)).then(rank).otherwise(best),
        )
    columns = [column for name in retrieved for column in (f"{name}{SCORE}", f"{name}{RANK}")]
    worth = [] if kept is None else [WORTH]
    return merged.select(*unpacked("pair", "customer", "article"), *columns, "strategies", "best_rank", *worth)


def merged_order(strategies: Iterable[str]) -> pl.Expr:
    """A score that puts candidates in the order of the strategies: all of the first by rank, then the second's rest.

    A candidate that none of `strategies` proposed is null. This is how hand-made solutions chain their rules.
    """
    first_to_propose = pl.lit(None, dtype=pl.Int32)
    for position, name in reversed(list(enumerate(strategies))):
        rank = pl.col(f"{name}{RANK}")
        first_to_propose = pl.when(rank.is_not_null()).then(-(position * (MOST + 1) + rank)).otherwise(first_to_propose)
    return first_to_propose
