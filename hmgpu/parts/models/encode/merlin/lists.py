"""List columns: their slices by the same steps in NumPy and in CuPy, and their values without a detour."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

LONGEST = 2**31 - 1  # as `end`: to the end of the row


def flat(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """For `flatten_list_column_values`: rows that are arrays are joined as such.

    On the CPU Merlin chains them number by number, through Python, which halved the speed of training on lists.
    """

    def values(column: Any) -> Any:
        if isinstance(column, pd.Series) and len(column):
            rows = column.to_numpy()
            if all(isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype != object for row in rows):
                return pd.Series(np.concatenate(rows))
        return original(column)

    return values


def list_slice(self: Any, col_selector: Any, df: Any) -> Any:
    """For `ListSlice.transform`.

    On the CPU Merlin threw the padding away wherever rows were arrays: after Parquet, and after Categorify. On the GPU
    it reads a column in a way that cuDF no longer has, and its kernel pads wrongly where start and end are negative.
    """
    width = int(self.max_elements) if self.pad else None
    made = type(df)()
    for name in col_selector.names:
        if isinstance(df, pd.DataFrame):
            rows = df[name].to_numpy()
            lengths = np.fromiter((len(row) for row in rows), dtype="int64", count=len(rows))
            offsets = np.concatenate([[0], np.cumsum(lengths)])
            values = np.concatenate([np.asarray(row) for row in rows if len(row)] or [np.asarray(rows[0])])
            values, offsets = sliced(np, values, offsets, self.start, self.end, width, self.pad_value)
            made[name] = pd.Series([values[a:b] for a, b in pairwise(offsets)], dtype=object)
        else:
            import cupy
            from merlin.core.dispatch import build_cudf_list_column, pull_apart_list

            values, offsets = (part.values for part in pull_apart_list(df[name]))
            values, offsets = sliced(cupy, values, offsets, self.start, self.end, width, self.pad_value)
            made[name] = build_cudf_list_column(values, offsets)
    return made


def sliced(xp: Any, values: Any, offsets: Any, start: int, end: int, width: int | None, fill: Any) -> tuple[Any, Any]:
    """Values and offsets of `row[start:end]` of each row; filled up to `width` values where that is given."""
    lengths = offsets[1:] - offsets[:-1]

    def bound(place: int) -> Any:
        wanted = lengths + place if place < 0 else xp.full_like(lengths, min(place, LONGEST))
        return xp.minimum(xp.maximum(wanted, 0), lengths)

    first = bound(start)
    kept = xp.maximum(bound(end) - first, 0)
    made = xp.zeros_like(offsets)
    made[1:] = xp.cumsum(kept if width is None else xp.full_like(kept, width))
    place = xp.arange(int(made[-1]))
    row = xp.searchsorted(made, place, side="right") - 1
    column = place - made[row]
    real = column < kept[row]
    out = xp.full(len(place), fill, dtype=values.dtype)
    out[real] = values[(offsets[:-1] + first)[row[real]] + column[real]]
    return out, made
