"""Compute what a run achieved in a week: the figures of every method and every retriever."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from hmgpu.core.certainty import intervals
from hmgpu.core.engine import Engine
from hmgpu.core.list_length import K
from hmgpu.core.metrics import average_precision, coverage, hit_rate_at, map_at, ndcg_at, precision_at
from hmgpu.data.article_ages import AGES, article_ages
from hmgpu.data.segments import SEGMENTS, segments
from hmgpu.data.store import History
from hmgpu.evaluation.method_names import METHODS, ORDER, RANKER
from hmgpu.evaluation.retrievers import by_retriever
from hmgpu.parts.candidates import KEYS, merged_order
from hmgpu.parts.ranker import Model


def score_methods(table: pl.DataFrame, model: Model, retrievers: Iterable[str]) -> pl.DataFrame:
    """Return (customer, article, order, ranker): a score of each of `table`'s candidates by both of these methods.

    Args:
        retrievers: their names, in the order of the config.
    """
    order = merged_order(retrievers).cast(pl.Float32)
    return table.select(*KEYS, order.alias(ORDER)).with_columns(pl.Series(RANKER, model.score(table)))


def members_of(history: History, customers: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    """Return (customer, segment) of `customers` (customer), the segment by its name, sorted by customer."""
    members = engine.collect(segments(history, customers.lazy()).sort("customer"))
    return members.with_columns(segment=pl.Series(SEGMENTS).gather(members["segment"]))


def with_ages(labels: pl.DataFrame, history: History, engine: Engine) -> pl.DataFrame:
    """Add `age` to `labels` (customer, article): the name of how long the article had been selling before the week."""
    known = engine.collect(
        article_ages(history).join(labels.lazy().select("article").unique(), on="article", how="semi")
    )
    known = known.with_columns(age=pl.Series(AGES).gather(known["age"]))
    return labels.join(known, on="article", how="left").with_columns(pl.col("age").fill_null(AGES[0]))


def figures_of(
    lists: Mapping[str, pl.DataFrame],
    counts: pl.DataFrame,
    retrievers: Sequence[str],
    labels: pl.DataFrame,
    members: pl.DataFrame,
    on_sale: pl.DataFrame,
    k: int = K,
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return all figures of one week, and the average precisions that they are means of.

    Args:
        lists: by method, (customer, article, rank) for every customer who bought in the week.
        counts: of all their candidates, what `count_by_rank` returned.
        retrievers: their names, in the order of the config.
        labels: what `with_ages` returned for what was bought in the week.
        members: what `members_of` returned for these customers.
        on_sale: (article), what was on sale before the week.
        k: articles in a list.

    Returns:
        The content of `metrics.json`, which docs/evaluation.md explains; and (customer, segment, for every method the
        average precision at k of the customer's list), sorted by customer.
    """
    methods = list(METHODS)
    # Every method's precisions have the same customers in the same order as the segments.
    precisions = members.with_columns(
        average_precision(lists[method], labels, k)["average_precision"].alias(method) for method in methods
    )
    figures = {
        "customers": members.height,
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
        "ages": _by_age(lists, labels, k),
        "retrievers": by_retriever(counts, retrievers, labels, members),
    }
    return figures, precisions


def _by_age(lists: Mapping[str, pl.DataFrame], labels: pl.DataFrame, k: int) -> dict[str, Any]:
    """Return each method's MAP@k where only purchases of articles of an age count, for the ages that were bought.

    Lists are those that customers get, with articles of every age.
    """
    found = {}
    for age in AGES:
        bought = labels.filter(pl.col("age") == age)
        if bought.height:
            found[age] = {
                "bought": bought.height,
                "articles": bought["article"].n_unique(),
                "customers": bought["customer"].n_unique(),
                f"map_at_{k}": {method: map_at(lists[method], bought, k) for method in METHODS},
            }
    return found


def _means(precisions: pl.DataFrame) -> dict[str, float]:
    return precisions.mean().row(0, named=True)
