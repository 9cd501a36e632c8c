"""A block of raw rows, the same whether it came from CSV or Parquet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Lines = npt.NDArray[np.int64]

BAD_SCHEMA = pl.Schema({"line": pl.Int64, "column": pl.String, "reason": pl.String, "text": pl.String})


@dataclass(frozen=True)
class Rows:
    """Some consecutive rows of a raw file as text.

    `frame` has the contract's columns as String, null where the file has nothing. `lines` is the physical line (int64,
    the header is 1; in Parquet the row's number, the first is 1) of each of its rows. `unreadable` has the rows that
    can't be made text (BAD_SCHEMA). `texts` gives the raw text of chosen rows, by their position in `frame`.
    """

    frame: pl.DataFrame
    lines: Lines
    unreadable: pl.DataFrame
    texts: Callable[[Sequence[int]], list[str]]
