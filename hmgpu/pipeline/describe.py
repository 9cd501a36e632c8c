"""Describe candidates by the columns of every feature family: the same two calls for training and serving."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.segments import segments
from hmgpu.data.store import History
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS, RANK, SCORE, TOGETHER
from hmgpu.parts.part import Learned
from hmgpu.pipeline.candidates import merge, retrieve
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.families import Family, families
from hmgpu.pipeline.quotas import best_by_worth
from hmgpu.runs.run import Step

USUAL = 140 * 4  # bytes of a candidate with as many columns as base.yaml makes


@dataclass(frozen=True)
class ProposedCandidates:
    """All candidates of some customers, before it is decided which of them get all columns."""

    pairs: pl.DataFrame
    """(customer, article, every retriever's score and rank, the columns of early families), sorted by both keys."""
    families: tuple[Family, ...]
    """Every feature family, with its tables for everybody and for these customers."""
    audience: History
    """What was known of these customers before the week, in memory."""
    tables: Mapping[str, Learned]
    """What every part learned, for everybody and for these customers, by the names of their steps."""


def propose(
    context: StepContext, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame
) -> ProposedCandidates:
    """Propose every retriever's candidates for `customers` (customer), with the columns of early families.

    Args:
        learned: what `Learning.learn` returned for `week`.
    """
    audience = context.learning.audience(week, customers)
    tables = context.learning.learn_customers(week, context.learners, learned, audience)
    return propose_from(context, tables, audience, customers)


def propose_from(
    context: StepContext, tables: Mapping[str, Learned], audience: History, customers: pl.DataFrame
) -> ProposedCandidates:
    """Propose candidates, as `propose` does, for `customers` of whom all is known already.

    Args:
        tables: what every part learned, for everybody and of these customers, by the name of its step.
        audience: the history of these customers, in memory.
    """
    engine, quotas = context.engine, context.quotas
    retrieved = retrieve(context, tables, audience, customers)
    kept = None
    if quotas:
        members = engine.collect(segments(audience, customers.lazy())).lazy()
        kept = engine.collect(best_by_worth(retrieved, quotas.rates, members, quotas.keep), fits=True).lazy()
    # Executed once, here: every feature family starts from the same candidates.
    pairs = engine.collect(merge(retrieved, kept), fits=True)
    bound = tuple(_families(context, tables))
    early = with_families(pairs, _where(bound, lambda family: family.early), engine)
    return ProposedCandidates(early, bound, audience, tables)


def complete(context: StepContext, proposed: ProposedCandidates, kept: pl.DataFrame) -> pl.DataFrame:
    """Return `kept`, some of the proposed pairs in order, with the columns of the families that are not early."""
    return with_families(kept, _where(proposed.families, lambda family: not family.early), context.engine)


def look_up(context: StepContext, proposed: ProposedCandidates, asked: pl.DataFrame) -> pl.DataFrame:
    """Return `asked` (customer, article), candidates or not, with the columns of `proposed.pairs`, sorted by both.

    A pair that no retriever proposed has null scores and ranks, and is not compared with candidates.
    """
    engine, candidates = context.engine, proposed.pairs.lazy()
    found = candidates.join(asked.lazy(), on=KEYS, how="semi")
    missing = asked.lazy().join(candidates, on=KEYS, how="anti").with_columns(retrievers=pl.lit(0, pl.Int32))
    others = engine.collect(missing.sort(KEYS), fits=True)
    if others.height:  # a family that describes each pair by itself describes these as it does candidates
        alone = _where(proposed.families, lambda family: family.early and not family.part.compares)
        others = with_families(others, alone, engine)
    return engine.collect(pl.concat([found, others.lazy()], how="diagonal").sort(KEYS), fits=True)


def bytes_a_candidate(context: StepContext, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame) -> int:
    """Return the bytes of a described candidate: of all columns that the config's parts compute.

    Args:
        customers: (customer), any; one of them is described. Where nothing was learned yet, as in a run that is only
            planned, a usual number is returned.
    """
    if not all(step.folder.is_dir() for step in learned.values()):
        return USUAL
    proposed = propose(context, week, learned, customers.head(1))
    described = complete(context, proposed, proposed.pairs)
    return int(described.clear(8).estimated_size()) // 8  # of empty rows, since who has candidates decides no widths


def column_parts(
    context: StepContext, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame
) -> dict[str, str]:
    """Return the part behind each column of described candidates, by the part's place in the config.

    Columns about all retrievers together belong to `retrievers`.

    Args:
        customers: (customer), any who have candidates; a few are enough.
    """
    return parts_of_columns(context, propose(context, week, learned, customers))


def parts_of_columns(context: StepContext, proposed: ProposedCandidates) -> dict[str, str]:
    """Return what `column_parts` does, for candidates that are proposed already."""
    parts = {f"{name}{end}": f"retrievers.{name}" for name in context.retrievers for end in (SCORE, RANK)}
    parts |= {column: "retrievers" for column in TOGETHER if column in proposed.pairs.columns}
    for family in proposed.families:
        columns = family.compute(proposed.pairs.lazy()).collect_schema().names()
        parts |= {column: family.name for column in columns if column not in KEYS}
    return parts


def _families(context: StepContext, tables: Mapping[str, Learned]) -> Iterable[Family]:
    """Return the families of all parts, bound to their context."""
    bind = context.learning.bind
    retrievers = {name: bind(part) for name, part in context.retrievers.items()}
    features = {name: bind(part) for name, part in context.features.items()}
    return families(retrievers, features, context.early, tables)


def _where(families: Iterable[Family], condition: Callable[[Family], bool]) -> list[Family]:
    return [family for family in families if condition(family)]


def with_families(pairs: pl.DataFrame, chosen: Iterable[Family], engine: Engine) -> pl.DataFrame:
    """Return `pairs` with the columns of the families `chosen`; see `with_columns`."""
    return with_columns(pairs, {family.name: family.compute(pairs.lazy()) for family in chosen}, engine)


def with_columns(pairs: pl.DataFrame, columns: Mapping[str, pl.LazyFrame], engine: Engine) -> pl.DataFrame:
    """Return `pairs` with the columns of all families.

    Each family is computed by itself and its columns are put next to the others, so that no join carries the columns
    of earlier ones along.

    Args:
        pairs: candidates (customer, article, …), each pair once, sorted by both.
        columns: what each family's `compute` returned, by the family's place in the config (`features.<name>`).

    Raises ConfigError where two families compute the same column, or one returns several rows for a key: a join would
    then repeat candidates.
    """
    table = pairs
    for name, plan in columns.items():
        more = columns_of(pairs, plan, name, engine)
        clash = set(more.columns) & set(table.columns)
        if clash:
            raise ConfigError(
                f"{name} computes the column '{min(clash)}', which another part computes too: drop one of the two."
            )
        table = table.hstack(more)
    return table


def columns_of(pairs: pl.DataFrame, plan: pl.LazyFrame, name: str, engine: Engine) -> pl.DataFrame:
    """Return the columns of the feature family `name`, without keys, one row for each of `pairs` in order."""
    keys = [key for key in KEYS if key in plan.collect_schema().names()]
    table = engine.collect(plan, fits=True)
    if table.select(keys).equals(pairs.select(keys)) and keys == list(KEYS):
        return table.drop(keys)
    # Before the join: a key that occurs a thousand times would turn every candidate into a thousand rows.
    if table.select(keys).is_duplicated().any():
        raise ConfigError(f"{name} gives more than one row for a key; see Feature.compute.")
    asked = pairs.lazy().select(keys)
    joined = asked.join(table.lazy(), on=keys, how="left", maintain_order="left")
    return engine.collect(joined, fits=True).drop(keys)
