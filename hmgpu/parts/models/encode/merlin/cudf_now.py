"""What Merlin takes for granted of cuDF, on RAPIDS 26.6. Used only where Merlin has found a GPU.

Merlin 23.8 was written for cuDF 23.8, whose columns could be put together from buffers. All that is left of it goes
through cuDF's and pylibcudf's public functions here.
"""

import functools
from collections.abc import Callable
from typing import Any

import cudf
import cupy
import numpy as np
import pandas as pd
import pyarrow as pa
import pylibcudf as plc


def lend_names() -> None:
    """A name that Merlin imports and uses for cuDF 21 alone: without it `merlin.io` can't be imported."""
    import cudf.core.column as columns

    if not hasattr(columns, "build_categorical_column"):
        columns.build_categorical_column = _gone


def _gone(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("cuDF no longer has build_categorical_column.")


def offsets_of(lists: Any) -> Any:
    """Where each row of a list column starts and the last one ends, int32; right for slices and null rows too."""
    offsets = cupy.zeros(len(lists) + 1, dtype=np.int32)
    offsets[1:] = cupy.cumsum(lists.list.len().fillna(0).values)
    return offsets


def build_list(new_elements: Any, new_offsets: Any, index: Any = None) -> Any:
    """For `build_cudf_list_column`: a Series of lists, where Merlin made a Column."""
    values = cudf.Series(new_elements).to_pylibcudf()[0]
    offsets = cudf.Series(cupy.asarray(new_offsets, dtype=np.int32)).to_pylibcudf()[0]
    rows = offsets.size() - 1
    column = plc.Column(plc.DataType(plc.TypeId.LIST), rows, None, None, 0, 0, [offsets, values])
    made = cudf.Series.from_pylibcudf(column)
    if index is not None:
        made.index = index
    return made


def encode_list(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `encode_list_column`: new values in the rows that `original` has."""

    @functools.wraps(original)
    def replacement(lists: Any, encoded: Any, dtype: Any = None) -> Any:
        if isinstance(lists, pd.Series):
            return original(lists, encoded, dtype)
        values = cudf.Series(encoded)
        # A column of its own would be put in by position, a Series goes by index: so it gets the rows' index.
        return build_list(values.astype(dtype) if dtype else values, offsets_of(lists), lists.index)

    return replacement


def pull_apart(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `pull_apart_list`: values and offsets; of lists of lists, those of the innermost."""

    @functools.wraps(original)
    def replacement(lists: Any, device: Any = None) -> Any:
        from merlin.core.dispatch import make_series

        if isinstance(lists, pd.Series):
            return original(lists, device)
        offsets, inner = offsets_of(lists), _elements(lists)
        if isinstance(inner.dtype, cudf.ListDtype):
            offsets = offsets_of(inner)[offsets]
        return make_series(lists.list.leaves, device), make_series(offsets, device)

    return replacement


def _elements(lists: Any) -> Any:
    """The rows' elements, one after another: for a list of lists, lists."""
    if not isinstance(lists.dtype.element_type, cudf.ListDtype):
        return lists.list.leaves
    # Nothing public flattens one level and leaves out empty rows: `explode` makes a null of each.
    return lists[lists.list.len().fillna(0) > 0].explode().reset_index(drop=True)


def multihot(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `create_multihot_col`: a list column from its offsets and values."""

    @functools.wraps(original)
    def replacement(offsets: Any, elements: Any) -> Any:
        if isinstance(elements, pd.Series):
            return original(offsets, elements)
        return build_list(elements, cudf.Series(offsets).values)

    return replacement


def convert(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `convert_data`, between pandas and cuDF: `to_dask_dataframe` and `DataFrame.from_pandas` are gone."""

    @functools.wraps(original)
    def replacement(x: Any, cpu: bool = True, to_collection: Any = None, npartitions: int = 1) -> Any:
        if hasattr(x, "to_backend"):
            return x.to_backend("pandas" if cpu else "cudf")
        if not cpu and isinstance(x, pd.DataFrame):
            x = cudf.from_pandas(x)
        return original(x, cpu=cpu, to_collection=to_collection, npartitions=npartitions)

    return replacement


def from_host(x: Any) -> Any:
    """For `from_host`: a table of pandas or Arrow, on the GPU."""
    if isinstance(x, pd.DataFrame):
        return cudf.from_pandas(x)
    return cudf.DataFrame.from_arrow(x) if isinstance(x, pa.Table) else x


def move(self: Any, destination: str) -> Any:
    """For `DataFrameDatasetEngine._move_ddf`, which took the layers of the graph apart to save a copy."""
    return self._ddf.to_backend({"cpu": "pandas", "gpu": "cudf"}[destination])
