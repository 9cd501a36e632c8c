"""What Merlin takes for granted of cuDF, on RAPIDS 26.6. Used only where Merlin has found a GPU.

Merlin 23.8 was written for cuDF 23.8; here it goes through cuDF's public functions of today.
"""

import functools
from collections.abc import Callable
from typing import Any

import cudf
import pandas as pd


def lend_names() -> None:
    """A name that Merlin imports and uses for cuDF 21 alone: without it `merlin.io` can't be imported."""
    import cudf.core.column as columns

    if not hasattr(columns, "build_categorical_column"):
        columns.build_categorical_column = _gone


def _gone(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("cuDF no longer has build_categorical_column.")


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


def move(self: Any, destination: str) -> Any:
    """For `DataFrameDatasetEngine._move_ddf`, which took the layers of the graph apart to save a copy."""
    return self._ddf.to_backend({"cpu": "pandas", "gpu": "cudf"}[destination])
