"""Frames of Polars or pandas in, frames of the same kind out. pandas is never imported unless a frame is its own."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from hmgpu.core.errors import DataError

Frame = Any
"""A Polars DataFrame or LazyFrame, or a pandas DataFrame."""


def is_pandas(given: object) -> bool:
    """Whether `given` is one of pandas' own objects."""
    return type(given).__module__.partition(".")[0] == "pandas"


def as_polars(frame: Frame, what: str) -> pl.DataFrame:
    """`frame` as a Polars DataFrame; the index of a pandas one is dropped.

    Args:
        what: the argument's name, for the error.

    Raises DataError where it is no frame.
    """
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if is_pandas(frame) and hasattr(frame, "columns"):
        return pl.from_pandas(frame)
    raise DataError(f"{what} is a {type(frame).__name__}: give a Polars or a pandas DataFrame.")


def like(given: object, table: pl.DataFrame) -> Any:
    """`table`, as a pandas DataFrame where `given` is an object of pandas."""
    return table.to_pandas() if is_pandas(given) else table


def ids_in(given: Iterable[Any]) -> list[str]:
    """Ids as text, in the order given, each once; a single text is one id."""
    listed = [given] if isinstance(given, str) else given
    return list(dict.fromkeys(str(each) for each in listed))
