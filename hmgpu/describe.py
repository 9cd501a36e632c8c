"""Candidates with the columns of every feature family: what a ranker sees, and the checks that it may."""

from collections.abc import Mapping

import polars as pl

from hmgpu.engine import Engine
from hmgpu.errors import ConfigError
from hmgpu.rankers import KEYS


def describe(pairs: pl.DataFrame, families: Mapping[str, pl.LazyFrame], engine: Engine) -> pl.DataFrame:
    """`pairs` with the columns of all `families`.

    Each family is worked out for itself and its columns are laid beside the others, so that no join carries along what
    has been joined before.

    Args:
        pairs: candidates (customer, article, …), each pair once, sorted by both.
        families: by its place in the config (`features.<name>`) what each feature family's `compute` returned.

    Raises ConfigError where two families make one column, or one gives more than one row for a key: joined, that would
    repeat candidates.
    """
    made = pairs
    for name, columns in families.items():
        table = columns_of(pairs, columns, name, engine)
        clash = set(table.columns) & set(made.columns)
        if clash:
            raise ConfigError(f"{name} makes the column '{min(clash)}', which is there already; drop one of the two.")
        made = made.hstack(table)
    return made


def columns_of(pairs: pl.DataFrame, columns: pl.LazyFrame, name: str, engine: Engine) -> pl.DataFrame:
    """The columns of the feature family `name`, without keys, a row for each of `pairs` in their order."""
    keys = [key for key in KEYS if key in columns.collect_schema().names()]
    table = engine.collect(columns, fits=True)
    if table.select(keys).equals(pairs.select(keys)) and keys == list(KEYS):
        return table.drop(keys)
    # Before the join: a key that comes a thousand times would make a thousand rows of every candidate.
    if table.select(keys).is_duplicated().any():
        raise ConfigError(f"{name} gives more than one row for a key; see Feature.compute.")
    asked = pairs.lazy().select(keys)
    joined = asked.join(table.lazy(), on=keys, how="left", maintain_order="left")
    return engine.collect(joined, fits=True).drop(keys)
