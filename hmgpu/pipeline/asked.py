"""Candidates, features and lists of the customers that somebody asks for, in memory instead of in the run."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import polars as pl

from hmgpu.core.errors import ConfigError
from hmgpu.core.parquet import scan_table
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS, RANK, SCORE, TOGETHER
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import bytes_a_candidate, complete, look_up, propose
from hmgpu.pipeline.learn import TABLE, filler
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.recommend import lists_for
from hmgpu.pipeline.shards import as_fits
from hmgpu.runs.run import Step

FEW = 1_000  # customers whose lists are computed by themselves: of more of them, everybody's lists are worth keeping


def asked_week(pipeline: Pipeline, day: str) -> Week:
    """The week that starts on `day` (YYYY-MM-DD), the one after the data too.

    Models are trained before the oldest week that is looked at: earlier ones would be told their future. Raises
    DataError where no week starts then, ConfigError for one before all others.
    """
    if day == str(pipeline.store.next_week):
        return pipeline.store.next_week
    week = pipeline.store.week_of(day)
    if week < pipeline.weeks.oldest:
        raise ConfigError(
            f"The week {week} is before {pipeline.weeks.oldest}, the oldest that this run learns from: take a later "
            "one, or an earlier weeks.validation."
        )
    return week


def asked_weeks(pipeline: Pipeline, days: Sequence[str] | None) -> list[Week]:
    """The weeks that start on `days`; None: the training weeks and the validation week."""
    if not days:
        return [*pipeline.weeks.training, pipeline.weeks.validation]
    return [asked_week(pipeline, day) for day in days]


def candidates_of(context: StepContext, week: Week, customers: pl.DataFrame) -> pl.DataFrame:
    """(customer, article, every retriever's score and rank, the columns about all retrievers), sorted by both keys.

    Args:
        week: what was known before it decides.
        customers: (customer), each once.
    """
    learned = context.learning.learn(week, context.learners)
    columns = [*KEYS, *(f"{name}{end}" for name in context.retrievers for end in (SCORE, RANK))]

    def work(some: pl.DataFrame) -> pl.DataFrame:
        pairs = propose(context, week, learned, some).pairs
        return pairs.select(*columns, *(name for name in TOGETHER if name in pairs.columns))

    return _in_shards(context, week, learned, work, customers)


def features_of(context: StepContext, week: Week, pairs: pl.DataFrame) -> pl.DataFrame:
    """`pairs` (customer, article), each once, with every column that a ranker sees, sorted by both keys.

    Args:
        week: what was known before it decides.
    """
    learned = context.learning.learn(week, context.learners)

    def work(some: pl.DataFrame) -> pl.DataFrame:
        proposed = propose(context, week, learned, some)
        theirs = pairs.join(some, on="customer", how="semi")
        return complete(context, proposed, look_up(context, proposed, theirs))

    return _in_shards(context, week, learned, work, pairs.select("customer").unique())


def lists_of(pipeline: Pipeline, customers: pl.DataFrame | None) -> pl.DataFrame:
    """(customer, article, rank) of `customers` (customer), or of all where that is None, in any order.

    Those of a few are computed by themselves, unless the run has everybody's.
    """
    context, week = pipeline.context, pipeline.store.next_week
    if customers is None or customers.height > FEW or pipeline.run.there(f"{week}/recommend/000"):
        files = [step.folder / TABLE for step in pipeline.recommend()]
        lists = scan_table(files)
        return context.engine.collect(lists if customers is None else lists.join(customers.lazy(), on="customer"))
    learned = context.learning.learn(week, context.learners)
    return lists_for(context, pipeline.train(), learned, customers)


def best_sellers(pipeline: Pipeline) -> pl.DataFrame:
    """(article, rank) for the week after the data: the list of a customer whom nobody knows."""
    best = filler(pipeline.learning.learn(pipeline.store.next_week, {}))
    # There are more of them where lists must not hold what a customer bought lately.
    return pipeline.engine.collect(best.filter(pl.col("rank") <= pipeline.config.lists.k).sort("rank"))


def in_order(asked: pl.DataFrame, lists: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    """(customer_id, rank int32, article): the list of each of `asked` (customer_id, customer) in their order.

    Args:
        asked: a customer that is null gets `best`.
        lists: (customer, article, rank).
        best: (article, rank).
    """
    placed = asked.with_row_index("place")
    unknown = placed.filter(pl.col("customer").is_null()).join(best, how="cross")
    rows = pl.concat(
        part.select("place", "customer_id", pl.col("rank").cast(pl.Int32), "article")
        for part in (placed.join(lists, on="customer"), unknown)
    )
    return rows.sort("place", "rank").drop("place")


def _in_shards(
    context: StepContext,
    week: Week,
    learned: Mapping[str, Step],
    work: Callable[[pl.DataFrame], pl.DataFrame],
    customers: pl.DataFrame,
) -> pl.DataFrame:
    width = partial(bytes_a_candidate, context, week, learned, customers)
    return pl.concat(as_fits(work, shard.customers) for shard in context.shards_of(customers, width))
