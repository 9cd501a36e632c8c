"""Candidates with the columns of every feature family: the same two calls for training, validation and serving."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.segments import segments
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS, RANK, SCORE, TOGETHER
from hmgpu.parts.part import Learned
from hmgpu.pipeline.candidates import merge, retrieve
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.families import Family, families
from hmgpu.pipeline.quotas import chosen
from hmgpu.runs.run import Step


@dataclass(frozen=True)
class Proposed:
    """All candidates of some customers, before it is decided which of them are worth all columns."""

    pairs: pl.DataFrame
    """(customer, article, every retriever's score and rank, the columns of early families), sorted by both keys."""
    families: tuple[Family, ...]
    """Every feature family, with what it knows of these customers and of everybody."""


def propose(context: StepContext, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame) -> Proposed:
    """Every retriever's candidates of `customers` (customer), with the columns of early families.

    Args:
        learned: what `Learning.learn` returned for `week`.
    """
    engine, learning, quotas = context.engine, context.learning, context.quotas
    audience = learning.audience(week, customers)
    tables = learning.learn_customers(week, context.learners, learned, audience)
    retrieved = retrieve(context, tables, audience, customers)
    kept = None
    if quotas:
        members = engine.collect(segments(audience, customers.lazy())).lazy()
        kept = engine.collect(chosen(retrieved, quotas.rates, members, quotas.keep), fits=True).lazy()
    # Executed here once: every feature family starts from the same candidates.
    pairs = engine.collect(merge(retrieved, kept), fits=True)
    found = tuple(_families(context, tables))
    return Proposed(described(pairs, _wanted(found, lambda family: family.early), engine), found)


def complete(context: StepContext, proposed: Proposed, kept: pl.DataFrame) -> pl.DataFrame:
    """`kept`, some of the proposed pairs, in their order and with the columns of all families that are not early."""
    return described(kept, _wanted(proposed.families, lambda family: not family.early), context.engine)


def look_up(context: StepContext, proposed: Proposed, asked: pl.DataFrame) -> pl.DataFrame:
    """`asked` (customer, article), candidates or not, with the columns of `proposed.pairs`, sorted by both keys.

    A pair that no retriever proposed has no scores and ranks, and is compared with no candidate.
    """
    engine, candidates = context.engine, proposed.pairs.lazy()
    found = candidates.join(asked.lazy(), on=KEYS, how="semi")
    missing = asked.lazy().join(candidates, on=KEYS, how="anti").with_columns(retrievers=pl.lit(0, pl.Int32))
    others = engine.collect(missing.sort(KEYS), fits=True)
    if others.height:  # a family that looks at each pair by itself says of these what it says of candidates
        alone = _wanted(proposed.families, lambda family: family.early and not family.part.compares)
        others = described(others, alone, engine)
    return engine.collect(pl.concat([found, others.lazy()], how="diagonal").sort(KEYS), fits=True)


def column_parts(
    context: StepContext, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame
) -> dict[str, str]:
    """The part behind each column of described candidates, by its place in the config.

    Columns about all retrievers together belong to `retrievers`.

    Args:
        customers: any (customer) who have candidates; a few are enough.
    """
    proposed = propose(context, week, learned, customers)
    found = {f"{name}{end}": f"retrievers.{name}" for name in context.retrievers for end in (SCORE, RANK)}
    found |= {column: "retrievers" for column in TOGETHER if column in proposed.pairs.columns}
    for family in proposed.families:
        columns = family.compute(proposed.pairs.lazy()).collect_schema().names()
        found |= {column: family.name for column in columns if column not in KEYS}
    return found


def _families(context: StepContext, tables: Mapping[str, Learned]) -> Iterable[Family]:
    """The families of all parts, bound to what they work with."""
    bind = context.learning.bind
    retrievers = {name: bind(part) for name, part in context.retrievers.items()}
    features = {name: bind(part) for name, part in context.features.items()}
    return families(retrievers, features, context.early, tables)


def _wanted(found: Iterable[Family], wanted: Callable[[Family], bool]) -> list[Family]:
    return [family for family in found if wanted(family)]


def described(pairs: pl.DataFrame, found: Iterable[Family], engine: Engine) -> pl.DataFrame:
    """`pairs` with the columns of all families in `found`; see `with_columns`."""
    return with_columns(pairs, {family.name: family.compute(pairs.lazy()) for family in found}, engine)


def with_columns(pairs: pl.DataFrame, columns: Mapping[str, pl.LazyFrame], engine: Engine) -> pl.DataFrame:
    """`pairs` with the columns of all families.

    Each family is computed by itself and its columns are put next to the others, so that no join carries along what
    has been joined before.

    Args:
        pairs: candidates (customer, article, …), each pair once, sorted by both.
        columns: by the family's place in the config (`features.<name>`) what its `compute` returned.

    Raises ConfigError where two families make one column, or one gives more than one row for a key: joined, that would
    repeat candidates.
    """
    table = pairs
    for name, plan in columns.items():
        more = columns_of(pairs, plan, name, engine)
        clash = set(more.columns) & set(table.columns)
        if clash:
            raise ConfigError(f"{name} makes the column '{min(clash)}', which is there already; drop one of the two.")
        table = table.hstack(more)
    return table


def columns_of(pairs: pl.DataFrame, plan: pl.LazyFrame, name: str, engine: Engine) -> pl.DataFrame:
    """The columns of the feature family `name`, without keys, a row for each of `pairs` in their order."""
    keys = [key for key in KEYS if key in plan.collect_schema().names()]
    table = engine.collect(plan, fits=True)
    if table.select(keys).equals(pairs.select(keys)) and keys == list(KEYS):
        return table.drop(keys)
    # Before the join: a key that comes a thousand times would make a thousand rows of every candidate.
    if table.select(keys).is_duplicated().any():
        raise ConfigError(f"{name} gives more than one row for a key; see Feature.compute.")
    asked = pairs.lazy().select(keys)
    joined = asked.join(table.lazy(), on=keys, how="left", maintain_order="left")
    return engine.collect(joined, fits=True).drop(keys)
