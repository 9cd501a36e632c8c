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
from hmgpu.core.metrics import recall_at
from hmgpu.core.plans import ranked
from hmgpu.evaluation.tables import MERGED
from hmgpu.parts.candidates import KEYS, MOST, RANK, WORTH

DEPTHS = (12, 100, 200, 500)
BINS = (3, 12, 30, 100, 300, 1_000, MOST)  # each bin's last rank
SMOOTH, PARTS = 60, 1 << 30


def by_retriever(
    candidates: pl.DataFrame, retrievers: Sequence[str], labels: pl.DataFrame, segments: pl.DataFrame, engine: Engine
) -> dict[str, dict[str, Any]]:
    """Return the figures of every retriever and of all `merged`.

    Args:
        candidates: (customer, article, `<name>_rank` of every retriever or null, with quotas `worth`), each pair once.
        labels: (customer, article) bought in the week.
        segments: (customer, segment) of every customer who bought.

    Returns:
        For each retriever, the share of all bought pairs that are among its candidates (`recall`) and among its first k
        (`recall_at_k`), the share of its candidates that were bought (`positive_rate`), and its number of candidates;
        the same for each of `segments`; and for bins of its `ranks` the share of bought pairs that they hold and their
        positive rate.
    """
    found = {}
    for name in (*retrievers, MERGED):
        if name == MERGED:
            proposed = engine.collect(_in_order(candidates, retrievers))
        else:
            proposed = candidates.select(*KEYS, rank=f"{name}{RANK}").drop_nulls("rank")
        hits = proposed.join(labels, on=KEYS, how="semi")
        of_segments = {}
        for (segment,), members in sorted(segments.group_by("segment")):
            theirs, found_of_theirs, bought = (
                table.join(members, on="customer", how="semi") for table in (proposed, hits, labels)
            )
            of_segments[segment] = _rates(found_of_theirs, bought, theirs.height)
        rates = _rates(hits, labels, proposed.height)
        found[name] = {**rates, "segments": of_segments, "ranks": _by_rank(proposed, hits, labels)}
    return found


def _in_order(candidates: pl.DataFrame, retrievers: Sequence[str]) -> pl.LazyFrame:
    """Return (customer, article, rank) of all retrievers' candidates together."""
    if WORTH in candidates.columns:
        return ranked(candidates.lazy().select(*KEYS, score=WORTH), by="customer").drop("score")
    score = pl.lit(0, pl.Int64)
    for name in retrievers:
        # In whole numbers: the order in which retrievers are summed must not break ties.
        score += (PARTS // (SMOOTH + pl.col(f"{name}{RANK}").cast(pl.Int64))).fill_null(0)
    return ranked(candidates.lazy().select(*KEYS, score=score), by="customer").drop("score")


def _rates(hits: pl.DataFrame, labels: pl.DataFrame, candidates: int) -> dict[str, float]:
    """Return recall and positive rate of `candidates` candidates, of which `hits` are among `labels`."""
    return {
        **{f"recall_at_{k}": recall_at(hits, labels, k) for k in DEPTHS},
        "recall": hits.height / labels.height,
        "positive_rate": hits.height / candidates if candidates else 0.0,
        "candidates": candidates,
        "candidates_a_customer": candidates / labels["customer"].n_unique(),
    }


def _by_rank(proposed: pl.DataFrame, hits: pl.DataFrame, labels: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return the figures of each bin of ranks: where the positive rate falls low, more candidates don't pay."""
    first, found = 1, {}
    for last in BINS:
        within = pl.col("rank").is_between(first, last)
        candidates, positives = proposed.filter(within).height, hits.filter(within).height
        if candidates:
            found[f"{first}-{last}"] = {
                "candidates": candidates,
                "recall": positives / labels.height,
                "positive_rate": positives / candidates,
            }
        first = last + 1
    return found
