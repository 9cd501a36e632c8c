"""Compute what each retriever finds, and at what price: recall and positive rate, by segment and by rank.

Recall at k of all retrievers together (`merged`) needs an order. It can't come from a model, or it would measure the
model, nor from the order of the config, or it would measure the retrievers listed first. So ranks are fused: each
retriever adds 1 / (60 + its rank), and the smaller article breaks ties (reciprocal rank fusion; Cormack, Clarke &
Büttcher 2009). With quotas, candidates have an order of their own: their worth in earlier weeks.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.plans import ranked
from hmgpu.data.article_ages import AGES
from hmgpu.evaluation.tables import MERGED
from hmgpu.parts.candidates import KEYS, MOST, RANK, WORTH

DEPTHS = (12, 100, 200, 500)
BINS = (3, 12, 30, 100, 300, 1_000, MOST)  # each bin's last rank
SMOOTH, PARTS = 60, 1 << 30


def count_by_rank(
    candidates: pl.DataFrame, retrievers: Sequence[str], labels: pl.DataFrame, members: pl.DataFrame, engine: Engine
) -> pl.DataFrame:
    """Return (retriever, segment, rank, age, candidates, bought): how many each proposed at a rank, and were bought.

    Those that were not bought have no age.

    Counts of different customers add up, so that candidates of all of them needn't be in memory at once.

    Args:
        candidates: (customer, article, `<name>_rank` of every retriever or null, with quotas `worth`), each pair once.
        retrievers: their names; the rows of `merged` count the candidates of all of them together.
        labels: (customer, article, age) bought in the week.
        members: (customer, segment) of every customer who bought.
    """
    ranks = candidates.lazy().select(*KEYS, *(f"{name}{RANK}" for name in retrievers))
    known = ranks.join(members.lazy(), on="customer")
    marked = known.join(labels.lazy().with_columns(bought=pl.lit(1, pl.Int64)), on=KEYS, how="left")
    table = engine.collect(marked.with_columns(pl.col("bought").fill_null(0)))
    plans = {name: table.lazy().with_columns(rank=f"{name}{RANK}").drop_nulls("rank") for name in retrievers}
    merged = _in_order(candidates, retrievers).join(table.lazy().select(*KEYS, "segment", "age", "bought"), on=KEYS)
    counted = [
        plan.group_by("segment", "rank", "age")
        .agg(candidates=pl.len().cast(pl.Int64), bought=pl.col("bought").sum())
        .select(
            pl.lit(name).alias("retriever"), "segment", pl.col("rank").cast(pl.Int32), "age", "candidates", "bought"
        )
        for name, plan in (plans | {MERGED: merged}).items()
    ]
    return pl.concat(map(engine.collect, counted))


def by_retriever(
    counts: pl.DataFrame, retrievers: Sequence[str], labels: pl.DataFrame, members: pl.DataFrame
) -> dict[str, dict[str, Any]]:
    """Return the figures of every retriever and of all `merged`.

    Args:
        counts: what `count_by_rank` returned, of several tables of candidates one below the other.
        retrievers: their names.
        labels: (customer, article, age) bought in the week.
        members: (customer, segment) of every customer who bought.

    Returns:
        For each retriever, the share of all bought pairs that are among its candidates (`recall`) and among its first k
        (`recall_at_k`), the share of its candidates that were bought (`positive_rate`), and its number of candidates;
        the same for each segment; for each of the `ages` of articles the shares of the bought pairs; and for bins of
        its `ranks` the share of bought pairs that they hold and their positive rate.
    """
    segments = sorted(members["segment"].unique())
    bought = {segment: _of(members, segment).join(labels, on="customer") for segment in segments}
    found = {}
    for name in (*retrievers, MERGED):
        own = counts.filter(pl.col("retriever") == name)
        of_segments = {segment: _rates(_of(own, segment), theirs) for segment, theirs in bought.items()}
        found[name] = {
            **_rates(own, labels),
            "segments": of_segments,
            "ages": _by_age(own, labels),
            "ranks": _by_rank(own, labels),
        }
    return found


def _of(table: pl.DataFrame, segment: str) -> pl.DataFrame:
    return table.filter(pl.col("segment") == segment)


def _in_order(candidates: pl.DataFrame, retrievers: Sequence[str]) -> pl.LazyFrame:
    """Return (customer, article, rank) of all retrievers' candidates together."""
    if WORTH in candidates.columns:
        return ranked(candidates.lazy().select(*KEYS, score=WORTH), by="customer").drop("score")
    score = pl.lit(0, pl.Int64)
    for name in retrievers:
        # In whole numbers: the order in which retrievers are summed must not break ties.
        score += (PARTS // (SMOOTH + pl.col(f"{name}{RANK}").cast(pl.Int64))).fill_null(0)
    return ranked(candidates.lazy().select(*KEYS, score=score), by="customer").drop("score")


def _rates(counts: pl.DataFrame, labels: pl.DataFrame) -> dict[str, float]:
    """Return recall and positive rate of candidates with these `counts`, proposed to those who bought `labels`."""
    candidates, hits = _summed(counts)
    return {
        **_recalls(counts, labels),
        "positive_rate": hits / candidates if candidates else 0.0,
        "candidates": candidates,
        "candidates_a_customer": candidates / labels["customer"].n_unique(),
    }


def _recalls(counts: pl.DataFrame, labels: pl.DataFrame) -> dict[str, float]:
    """Return the shares of `labels` that the first candidates are, and that all are."""
    hits = {f"recall_at_{k}": _summed(counts.filter(pl.col("rank") <= k))[1] for k in DEPTHS}
    return {name: found / labels.height for name, found in (hits | {"recall": _summed(counts)[1]}).items()}


def _by_age(counts: pl.DataFrame, labels: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return recall of the articles of each age that anybody bought."""
    found = {}
    for age in AGES:
        bought = labels.filter(pl.col("age") == age)
        if bought.height:
            found[age] = _recalls(counts.filter(pl.col("age") == age), bought)
    return found


def _by_rank(counts: pl.DataFrame, labels: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return the figures of each bin of ranks: where the positive rate falls low, more candidates don't pay."""
    first, found = 1, {}
    for last in BINS:
        candidates, hits = _summed(counts.filter(pl.col("rank").is_between(first, last)))
        if candidates:
            found[f"{first}-{last}"] = {
                "candidates": candidates,
                "recall": hits / labels.height,
                "positive_rate": hits / candidates,
            }
        first = last + 1
    return found


def _summed(counts: pl.DataFrame) -> tuple[int, int]:
    return int(counts["candidates"].sum()), int(counts["bought"].sum())
