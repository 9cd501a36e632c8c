"""What a run achieved in a week: the figures of every method and every strategy."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from hmgpu.candidates import RANK, merged_order
from hmgpu.data.store import History
from hmgpu.engine import Engine
from hmgpu.errors import DataError
from hmgpu.evaluation.metrics import average_precision, coverage, hit_rate_at, ndcg_at, positive_rate, recall_at
from hmgpu.plans import ranked
from hmgpu.rankers import KEYS, Examples, Model
from hmgpu.recommendations import K, top_twelve
from hmgpu.retrievers import Retriever
from hmgpu.retrievers.popular import Popular
from hmgpu.retrievers.repurchase import Repurchase

ACTIVE_DAYS = 28  # a customer who bought within this many days before the week is active, one who bought earlier lapsed


def evaluate(
    examples: Examples,
    labels: pl.DataFrame,
    history: History,
    model: Model,
    retrievers: Mapping[str, Retriever],
    filler: pl.LazyFrame,
    engine: Engine,
) -> tuple[dict[str, Any], pl.DataFrame]:
    """All figures of one week, and the average precisions that they are means of.

    Args:
        examples: the week's described candidates of all customers who bought in it.
        labels: (customer, article) bought in the week.
        history: what was known before the week.
        filler: what `recommendations.fallback` returned for the week.

    Returns:
        The content of `metrics.json`, which README explains under "What a run leaves"; and (customer, for every method
        the average precision at 12 of the customer's list), sorted.
    """
    buyers = labels.select("customer").unique()
    ranks = [f"{name}{RANK}" for name in retrievers]
    scored = [
        table.select(*KEYS, *ranks).with_columns(ranker=model.score(table), **_baselines(retrievers))
        for table in examples.tables()
    ]
    if not scored:
        raise DataError("No strategy proposed anything to those who bought in the week: there is nothing to evaluate.")
    scores = pl.concat(scored)
    methods = ("popular", "repurchase_popular", "order", "ranker")
    lists = {
        method: engine.collect(top_twelve(scores.lazy().rename({method: "score"}), buyers.lazy(), filler))
        for method in methods
    }
    precisions = {method: average_precision(lists[method], labels, K) for method in methods}
    on_sale = engine.collect(history.on_sale(ACTIVE_DAYS))
    segments = engine.collect(_segments(history, buyers.lazy()))
    figures = {
        "customers": buyers.height,
        "map_at_12": _means(precisions),
        "ndcg_at_12": {method: ndcg_at(lists[method], labels, K) for method in methods},
        "hit_rate_at_12": {method: hit_rate_at(lists[method], labels, K) for method in methods},
        "coverage": {method: coverage(lists[method], on_sale) for method in methods},
        "segments": {
            segment: {"customers": members.height}
            | {"map_at_12": _means({m: p.join(members, on="customer", how="semi") for m, p in precisions.items()})}
            for (segment,), members in sorted(segments.group_by("segment"))
        },
        "retrievers": _by_strategy(scores, labels, list(retrievers), engine),
    }
    return figures, _side_by_side(precisions)


def _baselines(retrievers: Mapping[str, Retriever]) -> dict[str, pl.Expr]:
    """Scores of the three orders that need no model."""
    repurchase = [name for name, part in retrievers.items() if isinstance(part, Repurchase)]
    popular = [name for name, part in retrievers.items() if isinstance(part, Popular)]
    orders = {"popular": popular, "repurchase_popular": repurchase + popular, "order": list(retrievers)}
    return {method: merged_order(names).cast(pl.Float32) for method, names in orders.items()}


def _segments(history: History, buyers: pl.LazyFrame) -> pl.LazyFrame:
    """(customer, segment): active, lapsed, or new where the history has nothing."""
    last = history.transactions.group_by("customer").agg(since=history.cutoff - pl.col("day").max())
    segment = pl.when(pl.col("since") <= ACTIVE_DAYS).then(pl.lit("active")).otherwise(pl.lit("lapsed"))
    known = buyers.join(last, on="customer", how="left")
    named = pl.when(pl.col("since").is_null()).then(pl.lit("new")).otherwise(segment)
    return known.select("customer", segment=named).sort("customer")


def _by_strategy(scores: pl.DataFrame, labels: pl.DataFrame, strategies: list[str], engine: Engine) -> dict[str, Any]:
    proposed = {name: scores.select(*KEYS, rank=f"{name}{RANK}").drop_nulls("rank") for name in strategies}
    proposed["merged"] = engine.collect(ranked(scores.lazy().select(*KEYS, "order"), by="customer", score="order"))
    buyers = labels["customer"].n_unique()
    return {
        name: {
            "recall_at_12": recall_at(table, labels, 12),
            "recall_at_100": recall_at(table, labels, 100),
            "recall": recall_at(table, labels, table.height),
            "positive_rate": positive_rate(table, labels),
            "candidates": table.height,
            "candidates_a_customer": table.height / buyers,
        }
        for name, table in proposed.items()
    }


def _side_by_side(precisions: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """(customer, one column a method). Every method's table has the same customers in the same order."""
    customers = next(iter(precisions.values())).select("customer")
    return customers.with_columns(**{method: table["average_precision"] for method, table in precisions.items()})


def _means(precisions: Mapping[str, pl.DataFrame]) -> dict[str, float]:
    return {method: float(table["average_precision"].mean() or 0.0) for method, table in precisions.items()}  # type: ignore[arg-type]
