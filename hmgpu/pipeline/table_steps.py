"""Write the rows of the table of all models, in one step per week and shard of customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from hmgpu.core.errors import ConfigError
from hmgpu.data.weeks import Week, date_of
from hmgpu.parts.candidates import KEYS, RANK, SCORE
from hmgpu.parts.examples import LABEL
from hmgpu.parts.ranker import Model, all_within
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import bytes_a_candidate, column_parts
from hmgpu.pipeline.examples import described_for
from hmgpu.pipeline.ids import Ids
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.shards import Shard, as_fits
from hmgpu.runs.run import Step

RANKER, WEEK, BOUGHT = "ranker", "week", "bought"
BYTES_OF_IDS = 120  # of a row: H&M's have 64 and 10 letters, and each its place


@dataclass(frozen=True)
class TableWeek:
    """A week of the table."""

    week: Week
    fitted: Step | None
    """The step that holds the ranker; None where it was fitted on this week."""
    names: tuple[str, ...]
    """Names of the ranker and of those within it; their columns are null without `fitted`."""
    ids: bool
    """Whether customers and articles have the retailer's ids, and not the keys of hmgpu's own tables."""


def week_steps(context: StepContext, on: TableWeek) -> tuple[list[Step], dict[str, str]]:
    """Return the steps that hold the week's table, one for each shard, and the part behind each described column."""
    learned = context.learning.learn(on.week, context.learners)
    served = on.week == context.store.next_week
    people = context.store.customer_ids() if served else context.store.sold_in(on.week)
    customers = context.engine.collect(people.select("customer").unique())

    def width() -> int:
        return bytes_a_candidate(context, on.week, learned, customers) + on.ids * BYTES_OF_IDS + 8 * len(on.names)

    steps = context.each_shard(f"table {on.week}", partial(_shard_step, context, on, learned), customers, width)
    return steps, column_parts(context, on.week, learned, customers.sort("customer").head(1))


def _shard_step(context: StepContext, on: TableWeek, learned: Mapping[str, Step], shard: Shard) -> Step:
    store, served = context.store, on.week == context.store.next_week

    def describe(customers: pl.DataFrame) -> pl.DataFrame:
        return described_for(context, on.week, False, learned, customers)[0]

    def write(folder: Path) -> dict[str, int]:
        table = as_fits(describe, shard.customers)
        model = context.ranker.load(on.fitted.folder, context.engine) if on.fitted else None
        bought = pl.lit(None, pl.Boolean) if served else pl.col(LABEL) > 0
        week = pl.lit(date_of(on.week.first_day))
        scored = with_scores(table, model, on.names)
        pairs = table.select(KEYS)
        keyed = Ids(store, context.engine).named(pairs) if on.ids else pairs
        columns = scored.select(week.alias(WEEK), pl.exclude(*KEYS, LABEL), bought.alias(BOUGHT))
        keyed.hstack(columns).write_parquet(folder / TABLE)
        return {"rows": table.height, BOUGHT: int(table[LABEL].sum())}

    seen = store.digest if served else store.digest_before(on.week.last_day + 1)
    inputs = [seen, *(step.digest for step in learned.values()), *context.quota_digests()]
    inputs += [on.fitted.digest] if on.fitted else []
    ranker = {"ranker": context.ranker.settings(), "scored": on.fitted is not None, "rankers": list(on.names)}
    settings = {"ids": on.ids} | ranker | context.shard_settings(shard)
    return context.run.step(f"{on.week}/table{'' if on.ids else '-of-keys'}/{shard.number:03}", settings, inputs, write)


def with_scores(table: pl.DataFrame, model: Model | None, names: Sequence[str]) -> pl.DataFrame:
    """Return `table` with the score and the rank by `model` and by each model within it; null without a model.

    Args:
        table: all candidates of each customer with all columns, sorted by both keys.
        names: of the model and those within it.

    Raises ConfigError where a column of the table has the name of one of these.
    """
    clash = {f"{name}{end}" for name in names for end in (SCORE, RANK)} & {*table.columns}
    if clash:
        raise ConfigError(
            f"A part computes the column '{min(clash)}', which the table has for the ranker: give the part another "
            "name."
        )
    models = all_within(model, RANKER) if model else {}
    scored = table
    for name in names:
        score = models[name].score(table) if models else pl.repeat(None, table.height, dtype=pl.Float32, eager=True)
        # Equal scores are ranked in the order of rows, so ties break on the article.
        rank = pl.col(f"{name}{SCORE}").rank("ordinal", descending=True).over("customer").cast(pl.Int32)
        scored = scored.with_columns(score.alias(f"{name}{SCORE}")).with_columns(rank.alias(f"{name}{RANK}"))
    return scored
