"""Learn quotas, as steps of a run, from what was bought of the candidates in weeks before all training weeks."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from hmgpu.core.parquet import read_table
from hmgpu.core.plans import sample
from hmgpu.data.segments import segments
from hmgpu.data.weeks import Week
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.candidates import retrieve
from hmgpu.pipeline.context import LearnedQuotas, StepContext
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.quotas import Quotas, count_proposals, rates
from hmgpu.pipeline.shards import Shard, as_fits
from hmgpu.runs.run import Step

BYTES = 560  # of a proposal: it has no columns of features, but all retrievers' are in memory, and are joined


def learn_quotas(context: StepContext, quotas: Quotas, weeks: Sequence[Week]) -> LearnedQuotas:
    """Learn from `weeks` which candidates are kept: what one is worth, by retriever, rank and segment."""
    counts = [step for week in weeks for step in _count_week(context, quotas, week)]
    places = {name: part.n for name, part in context.retrievers.items()}

    def write(folder: Path) -> dict[str, int]:
        table = pl.concat(read_table(step.folder / TABLE) for step in counts)
        found = rates(table, places, quotas.least)
        found.write_parquet(folder / TABLE)
        return {"rates": found.height}

    settings = {"least": quotas.least, "places": places}
    step = context.run.step("quotas", settings, [step.digest for step in counts], write)
    return LearnedQuotas(quotas.keep, step)


def _count_week(context: StepContext, quotas: Quotas, week: Week) -> list[Step]:
    """Count what customers, sampled at random, bought of their candidates in `week`; one step per shard of them."""
    learned = context.learning.learn(week, _retrievers(context))
    buyers = context.engine.collect(context.store.sold_in(week).select("customer").unique())
    buyers = sample(buyers, quotas.customers, context.seed + week.first_day)
    work = partial(_count_shard, context, week, learned)
    return context.each_shard(f"quotas {week}", work, buyers, lambda: BYTES)


def _count_shard(context: StepContext, week: Week, learned: Mapping[str, Step], shard: Shard) -> Step:
    engine = context.engine

    def counts_of(customers: pl.DataFrame) -> pl.DataFrame:
        sold = context.store.sold_in(week).join(customers.lazy(), on="customer", how="semi")
        bought = engine.collect(sold).lazy()
        audience = context.learning.audience(week, customers)
        tables = context.learning.learn_customers(week, _retrievers(context), learned, audience)
        members = segments(audience, customers.lazy())
        plan = count_proposals(retrieve(context, tables, audience, customers), members, bought)
        return engine.collect(plan.sort("segment", "retriever", "rank"))

    def write(folder: Path) -> dict[str, int]:
        table = as_fits(counts_of, shard.customers).lazy()
        keys = ("segment", "retriever", "rank")  # each half of the customers has counts of the same keys
        counts = engine.collect(table.group_by(keys).agg(pl.col("shown", "bought").sum()).sort(keys))
        counts.write_parquet(folder / TABLE)
        return {"proposals": int(counts["shown"].sum()), "bought": int(counts["bought"].sum())}

    asked = [[name, part.settings()] for name, part in context.retrievers.items()]
    settings = {"shards": shard.of, "retrievers": json.dumps(asked), "seed": context.seed}
    settings["customers"] = shard.customers.height
    settings |= context.learning.exclusions.settings()
    seen = context.store.digest_before(week.last_day + 1)
    inputs = [seen, *(step.digest for step in learned.values())]
    return context.run.step(f"{week}/quotas/{shard.number:03}", settings, inputs, write)


def _retrievers(context: StepContext) -> dict[str, Retriever]:
    """Return the retrievers, by the names of their steps."""
    return {name: part for name, part in context.learners.items() if isinstance(part, Retriever)}
