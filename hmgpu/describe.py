"""Candidates with the columns of every feature family: what a ranker sees, and the checks that it may."""

from collections.abc import Mapping

import polars as pl

from hmgpu.engine import Engine
from hmgpu.errors import ConfigError
from hmgpu.rankers import KEYS


def describe(pairs: pl.DataFrame, families: Mapping[str, pl.LazyFrame], engine: Engine) -> pl.DataFrame:
    """`pairs` with the columns of all `families`, sorted by customer and article.

    Args:
        pairs: candidates (customer, article, …), each pair once.
        families: by its place in the config (`features.<name>`) what each feature family's `compute` returned.

    Raises ConfigError where two families make one column, or one gives more than one row for a key: joined, that would
    repeat candidates.
    """
    plan = pairs.lazy()
    for name, columns in families.items():
        plan = join_columns(plan, columns, name)
    described = engine.collect(plan.sort(KEYS))
    if described.height != pairs.height:
        repeating = [name for name, columns in families.items() if _repeats_a_key(columns, engine)]
        raise ConfigError(f"{repeating[0]} gives more than one row for a key; see Feature.compute.")
    return described


def join_columns(described: pl.LazyFrame, columns: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """`described` with the columns of the feature family `name`; raises ConfigError where two families clash."""
    keys = _keys(columns)
    clash = (set(columns.collect_schema().names()) - set(keys)) & set(described.collect_schema().names())
    if clash:
        raise ConfigError(f"{name} makes the column '{min(clash)}', which is there already; drop one of the two.")
    return described.join(columns, on=keys, how="left")


def _keys(columns: pl.LazyFrame) -> list[str]:
    schema = columns.collect_schema().names()
    return [key for key in KEYS if key in schema]


def _repeats_a_key(columns: pl.LazyFrame, engine: Engine) -> bool:
    return engine.collect(columns.select(_keys(columns))).is_duplicated().any()
