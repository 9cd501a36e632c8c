"""A block of raw rows, in the same form whether it came from CSV or Parquet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Lines = npt.NDArray[np.int64]

BAD_SCHEMA = pl.Schema({"line": pl.Int64, "column": pl.String, "reason": pl.String, "text": pl.String})


@dataclass(frozen=True)
class Rows:
    """Consecutive rows of a raw file, as text.

    `frame` has the contract's columns as String, null where the file has no value. `lines` has the line number (int64;
    the header is line 1) of each row of `frame`, or in Parquet the row's number from 1. `unreadable` has the rows that
    can't be read as text (BAD_SCHEMA). `texts` returns the raw text of rows, given by their position in `frame`.
    """

    frame: pl.DataFrame
    lines: Lines
    unreadable: pl.DataFrame
    texts: Callable[[Sequence[int]], list[str]]
