"""Examples for the loader: one row for each query, with lists of all its candidates' numbers, codes and labels.

A fourth list is about the customer's past articles, which are the same for all candidates. So a batch holds whole
queries, which a loss over a customer's list needs, and the loader handles four columns, however many
features there are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from hmgpu.parts.examples import LABEL, Examples, numbers_of
from hmgpu.parts.models.encode.columns import PADDING

NUMBERS, CODES, PAST = "numbers", "codes", "past"
PER_FILE = 4096  # queries that the loader holds at once

Matrix = np.ndarray[Any, np.dtype[Any]]


def codes_of(table: pl.DataFrame, names: Sequence[str]) -> Matrix:
    """Return the columns `names` as an int32 matrix (rows, names), with padding for missing codes."""
    found = table.select(pl.col(name).cast(pl.Int32).fill_null(PADDING) for name in names).to_numpy(order="c")
    return found.astype(np.int32, copy=False).reshape(table.height, len(names))  # Polars forgets rows without columns


def write_queries(
    examples: Examples, numbers: Sequence[str], codes: Sequence[str], past: Sequence[str], folder: Path
) -> list[Path]:
    """Write every query's `numbers`, `codes` and `label`, each as one list of all its rows; return the files.

    `past` is one list of the query's first row, since all of them have the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for table in examples.with_purchases():
        sizes = table.group_by("customer", maintain_order=True).len()["len"].to_numpy()
        ends = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        for first in range(0, len(sizes), PER_FILE):
            bounds = ends[first : first + PER_FILE + 1]
            rows = table[int(bounds[0]) : int(bounds[-1])]
            bounds = bounds - bounds[0]
            each = np.arange(len(bounds))
            lists = {
                PAST: _flat_lists(codes_of(rows[bounds[:-1]], past), each),
                NUMBERS: _flat_lists(numbers_of(rows, numbers), bounds),
                CODES: _flat_lists(codes_of(rows, codes), bounds),
                LABEL: _flat_lists(rows.select(pl.col(LABEL).cast(pl.Float32)).to_numpy(), bounds),
            }
            files.append(folder / f"{len(files):05}.parquet")
            parquet.write_table(pa.table(lists), files[-1])
    return files


def _flat_lists(matrix: Matrix, bounds: Matrix) -> Any:
    """Return the rows of `matrix` between one bound and the next as one flat list each."""
    return pa.ListArray.from_arrays(pa.array((bounds * matrix.shape[1]).astype(np.int32)), pa.array(matrix.ravel()))
