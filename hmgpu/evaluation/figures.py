"""Compute what a run achieved in a week: the figures of every method and every retriever."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from polars import selectors as cs

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.list_length import K
from hmgpu.core.metrics import average_precision, coverage, hit_rate_at, ndcg_at, precision_at
from hmgpu.data.segments import ACTIVE_DAYS, SEGMENTS, segments
from hmgpu.data.store import History
from hmgpu.evaluation.certainty import intervals
from hmgpu.evaluation.retrievers import by_retriever
from hmgpu.parts.candidates import KEYS, RANK, WORTH, merged_order
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.filter import innermost
from hmgpu.parts.ranker import Model
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.repurchase import Repurchase

METHODS = ("popular", "repurchase_popular", "order", "ranker")


def score_methods(examples: Examples, model: Model, retrievers: Mapping[str, Retriever]) -> pl.DataFrame:
    """Return (customer, article, every retriever's rank, `worth` with quotas, a score by each of `METHODS`).

    One row per candidate; a null score proposes nothing. Raises DataError where there is no candidate.
    """
    ranks = [f"{name}{RANK}" for name in retrievers]
    scored = [
        table.select(*KEYS, *ranks, cs.by_name(WORTH, require_all=False)).with_columns(
            ranker=model.score(table), **_baselines(retrievers)
        )
        for table in examples.tables()
    ]
    if not scored:
        raise DataError(
            "No retriever proposed anything to the customers who bought in the week: there is nothing to evaluate."
        )
    return pl.concat(scored)


def figures_of(
    scores: pl.DataFrame,
    lists: Mapping[str, pl.DataFrame],
    labels: pl.DataFrame,
    history: History,
    retrievers: Sequence[str],
    engine: Engine,
    k: int = K,
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return all figures of one week, and the average precisions that they are means of.

    Args:
        scores: what `score_methods` returned.
        lists: by method, (customer, article, rank) for every customer who bought in the week.
        labels: (customer, article) bought in the week.
        history: what was known before the week.
        retrievers: their names, in the order of the config.
        k: articles in a list.

    Returns:
        The content of `metrics.json`, which docs/evaluation.md explains; and (customer, segment, for every method the
        average precision at k of the customer's list), sorted by customer.
    """
    methods, buyers = list(METHODS), labels.select("customer").unique()
    on_sale = engine.collect(history.on_sale(ACTIVE_DAYS))
    members = engine.collect(segments(history, buyers.lazy()).sort("customer"))
    named = members.with_columns(segment=pl.Series(SEGMENTS).gather(members["segment"]))
    # Every method's precisions have the same customers in the same order as the segments.
    precisions = named.with_columns(
        average_precision(lists[method], labels, k)["average_precision"].alias(method) for method in methods
    )
    figures = {
        "customers": buyers.height,
        f"map_at_{k}": _means(precisions.select(methods)),
        f"map_at_{k}_interval": intervals(precisions.drop("segment")),
        f"ndcg_at_{k}": {method: ndcg_at(lists[method], labels, k) for method in methods},
        f"hit_rate_at_{k}": {method: hit_rate_at(lists[method], labels, k) for method in methods},
        f"precision_at_{k}": {method: precision_at(lists[method], labels, k) for method in methods},
        "coverage": {method: coverage(lists[method], on_sale) for method in methods},
        "segments": {
            segment: {"customers": theirs.height, f"map_at_{k}": _means(theirs.select(methods))}
            for (segment,), theirs in sorted(precisions.group_by("segment", maintain_order=True))
        },
        "retrievers": by_retriever(scores, list(retrievers), labels, named, engine),
    }
    return figures, precisions


def _baselines(retrievers: Mapping[str, Retriever]) -> dict[str, pl.Expr]:
    """Return the scores of the three orders that need no model."""
    repurchase = [name for name, part in retrievers.items() if isinstance(innermost(part)[0], Repurchase)]
    popular = [name for name, part in retrievers.items() if isinstance(innermost(part)[0], Popular)]
    orders = {"popular": popular, "repurchase_popular": repurchase + popular, "order": list(retrievers)}
    return {method: merged_order(names).cast(pl.Float32) for method, names in orders.items()}


def _means(precisions: pl.DataFrame) -> dict[str, float]:
    return precisions.mean().row(0, named=True)
