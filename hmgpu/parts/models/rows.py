"""Examples as one matrix in memory, for libraries that take nothing else."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hmgpu.parts.examples import LABEL, ROWS, Examples, numbers_of


@dataclass(frozen=True)
class Rows:
    """Examples of customers who bought one of them, in the order of the files."""

    numbers: "np.ndarray[Any, np.dtype[np.float32]]"
    """(rows, columns), NaN where a value is missing."""
    bought: "np.ndarray[Any, np.dtype[np.float32]]"
    """(rows,) 1 for what was bought, else 0."""
    sizes: "np.ndarray[Any, np.dtype[np.int64]]"
    """(queries,) the rows of each: a customer's candidates of a week."""

    def queries(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Return the number of each row's query, from 0."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


def rows_of(examples: Examples, names: Sequence[str], customers: pl.DataFrame | None = None) -> Rows:
    """Return the columns `names` of `examples`.

    Args:
        customers: (customer), whose rows are returned; None: those of all.
    """
    tables: Iterable[pl.DataFrame] = examples.with_purchases()
    if customers is not None:
        tables = (table.filter(pl.col("customer").is_in(customers["customer"].implode())) for table in tables)
    numbers, bought, sizes = [np.empty((0, len(names)), np.float32)], [np.empty(0, np.float32)], [np.empty(0, np.int64)]
    for table in tables:
        numbers.append(numbers_of(table, names))
        bought.append(table[LABEL].cast(pl.Float32).to_numpy())
        sizes.append(table["customer"].rle().struct["len"].cast(pl.Int64).to_numpy())
    return Rows(np.concatenate(numbers), np.concatenate(bought), np.concatenate(sizes))


def scores_of(examples: pl.DataFrame, names: Sequence[str], predict: Callable[[Any], Any]) -> pl.Series:
    """Return what `predict` makes of the columns `names`, as float32; a bounded number of rows is converted at once."""
    parts = [
        pl.Series(predict(numbers_of(part, names)), dtype=pl.Float32)
        for part in examples.iter_slices(ROWS)
        if part.height
    ]
    return pl.concat([pl.Series(dtype=pl.Float32), *parts]).alias("score")
