"""Explain lists: what proposed each article, what the ranker made of it, and a sentence for its customer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from hmgpu.parts.candidates import KEYS, SCORE
from hmgpu.parts.ranker import Model
from hmgpu.pipeline.asked import best_sellers, in_order, lists_of
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import ProposedCandidates, complete, look_up, parts_of_columns, propose
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.reasons import FILLED_UP, Pair, added_by_part, as_sentence, deciding, ranks_of, sentences

EXPLAINED_AT_ONCE = 1_000
Stages = Mapping[str, Mapping[str, float]]
Facts = tuple[str, Mapping[str, tuple[int, float]], Stages]
"""The sentence, the retrievers and the contributions of a pair: see `Reason`."""


@dataclass(frozen=True)
class Reason:
    """Why an article is on a customer's list."""

    customer_id: str
    rank: int
    article_id: str
    sentence: str
    retrievers: Mapping[str, tuple[int, float]]
    """Rank and score at each retriever that proposed it, by name, the best rank first."""
    contributions: Stages
    """What each part of the config adds to the score, for each stage that scores (`first` and `then` of a cascade, else
    `score`), and what every candidate starts from: `start` (the worth of quotas) and `average`. They add up to the
    stage's score; the last stage decides the order, before `lists.diversify` changes it. Empty where a score isn't such
    a sum."""


def explain(pipeline: Pipeline, asked: pl.DataFrame, k: int | None = None) -> list[Reason]:
    """Explain the lists of `asked` (customer_id, customer; null where nobody knows them), in their order.

    The lists are those that `recommend` gives. Contributions are Shapley values by column (TreeSHAP), summed by part.

    Args:
        k: articles of each list; None: all.
    """
    context, week, best = pipeline.context, pipeline.store.next_week, best_sellers(pipeline)
    known = asked.select("customer").drop_nulls().unique().sort("customer")
    lists = in_order(asked, lists_of(pipeline, known), best).filter(pl.col("rank") <= (k or best.height))
    pairs = asked.join(lists, on="customer_id").select(*KEYS).drop_nulls().unique().sort(KEYS)
    ids = context.engine.collect(context.store.article_ids())
    lists = lists.join(ids, on="article", how="left", maintain_order="left")
    learned = context.learning.learn(week, context.learners)
    model = context.ranker.load(pipeline.train().folder, context.engine)
    facts = facts_of_all(context, model, partial(propose, context, week, learned), known, pairs)
    return reasons_of(lists, dict(asked.select("customer_id", "customer").iter_rows()), facts)


def reasons_of(lists: pl.DataFrame, customers: Mapping[str, int | None], facts: Mapping[Pair, Facts]) -> list[Reason]:
    """Return the reason of each row of `lists` (customer_id, rank, article, article_id).

    Args:
        customers: the customers' keys, by their ids.
        facts: what `facts_of` returned; an article without any fills up its list.
    """
    nothing: Facts = as_sentence(FILLED_UP), {}, {}

    def known(customer: int | None, article: int) -> Facts:
        return nothing if customer is None else facts.get((customer, article), nothing)

    columns = ("customer_id", "rank", "article", "article_id")
    return [
        Reason(customer_id, rank, article_id, *known(customers[customer_id], article))
        for customer_id, rank, article, article_id in lists.select(*columns).iter_rows()
    ]


def facts_of_all(
    context: StepContext,
    model: Model,
    propose_for: Callable[[pl.DataFrame], ProposedCandidates],
    customers: pl.DataFrame,
    pairs: pl.DataFrame,
) -> dict[Pair, Facts]:
    """Return what `facts_of` does of all `pairs`, computed for some of `customers` (customer), sorted, at a time.

    Args:
        propose_for: proposes the candidates of some customers.
    """
    facts = dict[Pair, Facts]()
    for some in customers.iter_slices(EXPLAINED_AT_ONCE):
        theirs = pairs.join(some, on="customer", how="semi", maintain_order="left")
        facts |= facts_of(context, model, propose_for(some), theirs)
    return facts


def facts_of(
    context: StepContext, model: Model, proposed: ProposedCandidates, pairs: pl.DataFrame
) -> dict[Pair, Facts]:
    """Return the sentence, the retrievers and the contributions of each of `pairs` (customer, article), sorted."""
    described = complete(context, proposed, look_up(context, proposed, pairs))
    stages = added_by_part(model, described, parts_of_columns(context, proposed))
    said = sentences(context, proposed, described, deciding(stages, described))
    found = dict[Pair, Facts]()
    for place, row in enumerate(described.iter_rows(named=True)):
        ranks = {name: (rank, row[f"{name}{SCORE}"]) for name, rank in ranks_of(context.retrievers, row)}
        why = {stage: rows[place] for stage, rows in stages.items()} if ranks else {}
        found[row["customer"], row["article"]] = said[place], ranks, why
    return found


def as_frame(reasons: Sequence[Reason]) -> pl.DataFrame:
    """Return (customer_id, rank int32, article_id, sentence, retrievers, contributions), a row a reason.

    `retrievers` is a list of (retriever, rank, score), `contributions` one of (stage, part, contribution).
    """
    proposed = pl.Struct({"retriever": pl.String, "rank": pl.Int32, "score": pl.Float32})
    added = pl.Struct({"stage": pl.String, "part": pl.String, "contribution": pl.Float64})
    columns: dict[str, tuple[pl.DataType | type[pl.DataType], list[Any]]] = {
        "customer_id": (pl.String, [each.customer_id for each in reasons]),
        "rank": (pl.Int32, [each.rank for each in reasons]),
        "article_id": (pl.String, [each.article_id for each in reasons]),
        "sentence": (pl.String, [each.sentence for each in reasons]),
        "retrievers": (
            pl.List(proposed),
            [
                [{"retriever": name, "rank": rank, "score": score} for name, (rank, score) in each.retrievers.items()]
                for each in reasons
            ],
        ),
        "contributions": (
            pl.List(added),
            [
                [
                    {"stage": stage, "part": part, "contribution": value}
                    for stage, parts in each.contributions.items()
                    for part, value in parts.items()
                ]
                for each in reasons
            ],
        ),
    }
    return pl.DataFrame([pl.Series(name, values, dtype) for name, (dtype, values) in columns.items()])
