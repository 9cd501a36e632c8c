"""Recommend a list to every customer for the week after the data, and write the lists' files."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import polars as pl

from hmgpu.parts.candidates import KEYS
from hmgpu.parts.ranker import Model
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import ProposedCandidates, bytes_a_candidate, complete, propose
from hmgpu.pipeline.learn import TABLE, filler
from hmgpu.pipeline.lists import SUBMISSION, check_fillable, top_k, write_submission
from hmgpu.pipeline.served_tables import write_tables
from hmgpu.pipeline.shards import Shard, as_fits
from hmgpu.runs.run import Step


def recommend(context: StepContext, fitted: Step) -> list[Step]:
    """Write (customer, article, rank), every customer's list; one step per shard of customers."""
    learned = context.learning.learn(context.store.next_week, context.learners)
    customers = context.engine.collect(context.store.customer_ids().select("customer"))
    width = partial(bytes_a_candidate, context, context.store.next_week, learned, customers)
    return context.each_shard("recommend", partial(_shard_step, context, fitted, learned), customers, width)


def submit(context: StepContext, recommended: list[Step]) -> Step:
    """Write `submission.csv`, as Kaggle takes it, and next to it the tables that the run is served from."""
    engine, store = context.engine, context.store
    best_sellers = filler(context.learning.learn(store.next_week, {}))
    column = store.raw_name("transactions", "customer")

    def write(folder: Path) -> dict[str, int]:
        files = [step.folder / TABLE for step in recommended]
        plans = store.customer_ids(), store.article_ids(), store.codes(), best_sellers
        customers, articles, codes, best = map(engine.collect, plans)
        write_tables(folder, files, best.filter(pl.col("rank") <= context.k), customers, articles, codes, context.k)
        written = write_submission(folder / SUBMISSION, files, customers, articles, context.k, column)
        return {"customers": written}

    return context.run.step(
        "submit", {"k": context.k, "column": column}, [store.digest, *(step.digest for step in recommended)], write
    )


def lists_for(context: StepContext, fitted: Step, learned: Mapping[str, Step], customers: pl.DataFrame) -> pl.DataFrame:
    """Return (customer, article, rank), the list of each of `customers` (customer)."""
    proposed = propose(context, context.store.next_week, learned, customers)
    model = context.ranker.load(fitted.folder, context.engine)
    return ranked_lists(context, model, filler(learned), proposed, customers)


def ranked_lists(
    context: StepContext, model: Model, filler: pl.LazyFrame, proposed: ProposedCandidates, customers: pl.DataFrame
) -> pl.DataFrame:
    """Return (customer, article, rank), the list of each of `customers` (customer), by what `model` says.

    Args:
        filler: (article, rank), the best sellers that fill up lists.
        proposed: the candidates of these customers.
    """
    described = complete(context, proposed, model.promising(proposed.pairs))
    scored = described.select(KEYS).with_columns(score=model.score_promising(described))
    best = context.reranked(scored, proposed.audience)
    pairs = context.learning.exclusions.pairs(proposed.audience)
    return context.engine.collect(top_k(best.lazy(), customers.lazy(), filler, context.k, pairs))


def _shard_step(context: StepContext, fitted: Step, learned: Mapping[str, Step], shard: Shard) -> Step:
    def write(folder: Path) -> dict[str, int]:
        check_fillable(context.engine.collect(filler(learned)), context.k)
        table = as_fits(partial(lists_for, context, fitted, learned), shard.customers)
        rows = context.engine.write(table.lazy(), folder / TABLE)
        return {"customers": shard.customers.height, "rows": rows}

    earlier = [fitted, *learned.values()]
    inputs = [context.store.digest, *(step.digest for step in earlier), *context.quota_digests()]
    # A model may be used with settings that it was not fitted with.
    settings = context.shard_settings(shard) | {"ranker": context.ranker.settings()} | context.list_settings()
    return context.run.step(f"{context.store.next_week}/recommend/{shard.number:03}", settings, inputs, write)
