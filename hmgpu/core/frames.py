"""Polars or pandas frames in, frames of the same kind out; pandas is imported only when a caller passes its frames."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from hmgpu.core.errors import DataError

Frame = Any
"""A Polars DataFrame or LazyFrame, or a pandas DataFrame."""


def is_pandas(given: object) -> bool:
    """Whether `given` is an object of pandas."""
    return type(given).__module__.partition(".")[0] == "pandas"


def as_polars(frame: Frame, what: str) -> pl.DataFrame:
    """Convert `frame` to a Polars DataFrame; the index of a pandas frame is dropped.

    Args:
        what: the argument's name, for the error.

    Raises DataError where `frame` is not a frame.
    """
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if is_pandas(frame) and hasattr(frame, "columns"):
        return pl.from_pandas(frame)
    raise DataError(f"{what} is a {type(frame).__name__}: give a Polars or a pandas DataFrame.")


def like(given: object, table: pl.DataFrame) -> Any:
    """Return `table` as a pandas DataFrame if `given` is an object of pandas, else unchanged."""
    return table.to_pandas() if is_pandas(given) else table


def ids_in(given: Iterable[Any]) -> list[str]:
    """Return the ids in `given` as text, in their order, without repeats; a single text is one id."""
    listed = [given] if isinstance(given, str) else given
    return list(dict.fromkeys(str(each) for each in listed))
