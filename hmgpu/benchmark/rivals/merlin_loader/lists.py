"""Split list columns for Merlin's loader: their values, and where each row starts."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def flat(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Replace `flatten_list_column_values`: rows that are arrays are joined as arrays.

    On the CPU Merlin chains them number by number, through Python, which halved the speed of training on lists.
    """

    def values(column: Any) -> Any:
        if isinstance(column, pd.Series) and len(column):
            rows = column.to_numpy()
            if all(isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype != object for row in rows):
                return pd.Series(np.concatenate(rows))
        return original(column)

    return values


def pull_apart(original: Callable[..., Any]) -> Callable[..., Any]:
    """Replace `pull_apart_list` on the GPU, which reads a column's values and offsets as cuDF no longer allows."""

    @functools.wraps(original)
    def replacement(lists: Any, device: Any = None) -> Any:
        import cupy
        from merlin.core.dispatch import make_series

        if isinstance(lists, pd.Series):
            return original(lists, device)
        offsets = cupy.zeros(len(lists) + 1, dtype=np.int32)
        offsets[1:] = cupy.cumsum(lists.list.len().fillna(0).values)  # right for slices and null rows too
        return make_series(lists.list.leaves, device), make_series(offsets, device)

    return replacement
