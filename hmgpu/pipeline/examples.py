"""Write examples, the candidates of a week's buyers with all columns and a label, in one step per shard."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import polars as pl

from hmgpu.core.plans import sample
from hmgpu.data.store import History, among
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import bytes_a_candidate, complete, look_up, propose
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.shards import Shard, as_fits
from hmgpu.runs.run import Step


def write_examples(
    context: StepContext, week: Week, training: bool, name: str = "examples", most: int | None = None
) -> tuple[Examples, list[Step]]:
    """Write the examples of the customers who bought in `week`; return them and the steps that hold them.

    For training, only customers who bought one of their candidates are kept, with the negatives that are sampled.

    Args:
        name: of the steps, after the week.
        most: how many of the customers, sampled at random; None takes all.
    """
    learned = context.learning.learn(week, context.learners)
    buyers = context.engine.collect(context.store.sold_in(week).select("customer").unique())
    sampled = {"customers": most, "seed": context.seed} if most is not None and most < buyers.height else {}
    buyers = sample(buyers, most, context.seed + week.first_day)
    work = partial(_shard_step, context, f"{week}/{name}", week, training, learned, sampled)
    width = partial(bytes_a_candidate, context, week, learned, buyers)
    steps = context.each_shard(f"{name} {week}", work, buyers, width)
    return Examples(tuple(step.folder / TABLE for step in steps)), steps


def _shard_step(
    context: StepContext,
    name: str,
    week: Week,
    training: bool,
    learned: Mapping[str, Step],
    sampled: dict[str, int],
    shard: Shard,
) -> Step:
    early = list[str]()

    def describe(customers: pl.DataFrame) -> pl.DataFrame:
        table, early[:] = described_for(context, week, training, learned, customers)
        return table

    def write(folder: Path) -> dict[str, int]:
        table = as_fits(describe, shard.customers)
        Examples.write(folder / TABLE, table, early)
        return {"rows": table.height, "positives": int(table[LABEL].sum())}

    samplers = json.dumps({name: part.settings() for name, part in context.negatives.items()})
    sampling = {"negatives": samplers, "seed": context.seed} if training else {}
    seen = context.store.digest_before(week.last_day + 1)
    inputs = [seen, *(step.digest for step in learned.values()), *context.quota_digests()]
    settings = {"training": training} | sampling | sampled | context.shard_settings(shard)
    return context.run.step(f"{name}/{shard.number:03}", settings, inputs, write)


def described_for(
    context: StepContext, week: Week, training: bool, learned: Mapping[str, Step], customers: pl.DataFrame
) -> tuple[pl.DataFrame, list[str]]:
    """Return the examples of `customers`, and the names of their early columns.

    Args:
        week: the label of each candidate is whether it was bought in it; 0 in the week after the data.
        training: whether negatives are sampled, or all candidates kept.
    """
    engine, store = context.engine, context.store
    bought = engine.collect(among(store.sold_in(week), customers)).lazy()
    proposed = propose(context, week, learned, customers)
    pairs = proposed.pairs
    if training:
        purchases, history = store.purchases_in(week), store.as_of(week.first_day)
        seed = context.seed + week.first_day
        plan = with_negatives(pairs.lazy(), purchases, history, context.negatives.values(), seed)
        pairs = look_up(context, proposed, engine.collect(plan))
    table = complete(context, proposed, pairs)
    labels = engine.collect(with_labels(table.lazy().select(KEYS), bought), fits=True)
    return table.with_columns(labels[LABEL]), proposed.pairs.columns


def with_labels(candidates: pl.LazyFrame, bought: pl.LazyFrame) -> pl.LazyFrame:
    """Return `candidates` in order, with int8 `label`: 1 for pairs in `bought` (customer, article), else 0."""
    marked = bought.select(*KEYS, pl.lit(1, dtype=pl.Int8).alias(LABEL))
    return candidates.join(marked, on=KEYS, how="left", maintain_order="left").with_columns(pl.col(LABEL).fill_null(0))


def with_negatives(
    candidates: pl.LazyFrame, sold: pl.LazyFrame, history: History, negatives: Iterable[NegativeSampler], seed: int
) -> pl.LazyFrame:
    """Return (customer, article) to train on: the candidates that were bought, and the negatives sampled for them.

    Customers who bought none of their candidates are left out: a ranker learns no order from them.

    Args:
        candidates: (customer, article).
        sold: (day, customer, article), all purchases of the week.
        history: what was known before the week.
        negatives: samplers, each of which adds its own pairs.
    """
    bought = sold.select(*KEYS).unique()
    found = candidates.select(*KEYS).join(bought, on=KEYS, how="semi")
    others = candidates.select(*KEYS).join(found.select("customer").unique(), on="customer", how="semi")
    week = TrainingWeek(others.join(bought, on=KEYS, how="anti"), found, sold, history, seed)
    sampled = pl.concat([each.draw(week).select(*KEYS) for each in negatives]).unique()
    return pl.concat([found, sampled.join(bought, on=KEYS, how="anti")])
