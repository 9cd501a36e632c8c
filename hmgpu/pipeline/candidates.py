"""Merge the retrievers' candidates into one table: each retriever's score and rank, and how many agree."""

from collections.abc import Mapping

import polars as pl

from hmgpu.core.plans import packed, unpacked
from hmgpu.data.store import History
from hmgpu.parts.candidates import RANK, SCORE, WORTH
from hmgpu.parts.part import Learned
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.families import retriever_step


def retrieve(
    context: StepContext, tables: Mapping[str, Learned], audience: History, customers: pl.DataFrame
) -> dict[str, pl.LazyFrame]:
    """Return each retriever's candidates for `customers` (customer), executed, without what lists must not hold.

    Args:
        tables: what the parts learned, by the names of their steps.
        audience: the history of these customers.
    """
    retrieved = {}
    for name, part in context.retrievers.items():
        proposed = context.learning.bind(part).retrieve(tables[retriever_step(name)], customers.lazy())
        allowed = context.learning.exclusions.allowed(proposed, audience)
        retrieved[name] = context.engine.collect(allowed).lazy()
    return retrieved


def merge(retrieved: Mapping[str, pl.LazyFrame], kept: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Merge the candidates of all retrievers, each pair once.

    Args:
        retrieved: what each retriever's `retrieve` returned, by its name.
        kept: (customer, article, worth) of the pairs to keep, each once; None keeps all.

    Returns:
        (customer, article, `<name>_score` float32 and `<name>_rank` int32 of every retriever, null where it did not
        propose the pair; `retrievers` int32, how many proposed it; `best_rank` int32, the best of their ranks; with
        `kept` also its `worth`), sorted by both keys.
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
    merged = merged.with_columns(retrievers=pl.lit(0, pl.Int32), best_rank=pl.lit(None, pl.Int32))
    # Polars merges tables that are sorted on both sides, in a third of the time that hashing takes.
    for name, frame in proposals.items():
        rank, best = pl.col(f"{name}{RANK}"), pl.col("best_rank")
        # One join at a time: cuDF has no minimum over columns, and one expression would double with every retriever.
        merged = merged.join(frame, on="pair", how="left", maintain_order="left").with_columns(
            retrievers=pl.col("retrievers") + rank.is_not_null().cast(pl.Int32),
            best_rank=pl.when(best.is_null() | (rank < best)).then(rank).otherwise(best),
        )
    columns = [column for name in retrieved for column in (f"{name}{SCORE}", f"{name}{RANK}")]
    worth = [] if kept is None else [WORTH]
    return merged.select(*unpacked("pair", "customer", "article"), *columns, "retrievers", "best_rank", *worth)
