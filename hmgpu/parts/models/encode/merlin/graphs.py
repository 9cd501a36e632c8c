"""What Merlin takes for granted of dask, on a dask whose data frames are expressions.

Merlin 23.8 was written for a dask data frame that *is* a graph: a dict with keys `(frame._name, i)`, which it reads,
extends and turns into a frame again. Since dask 2025 a frame is an expression, which gets its graph, under other names,
when it is computed. So wherever Merlin reads a graph, it gets a frame that has been optimised and then frozen into one.
"""

import functools
import sys
import types
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import dask
import dask.dataframe as dd
import pandas as pd
from dask.dataframe import core as dask_core
from dask.dataframe import dispatch, multi
from dask.dataframe.dask_expr._collection import new_collection  # type: ignore[attr-defined]
from dask.dataframe.dask_expr.io.io import FromGraph


def rebind(original: Any, replacement: Any) -> None:
    """Puts `replacement` for `original` into every loaded module of Merlin, since most import it by its name."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in {"merlin", "nvtabular"} and module is not None:
            for attribute, value in list(vars(module).items()):
                if value is original:
                    setattr(module, attribute, replacement)


def wrap(owner: type, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Puts `around(method)` for the method `name` of a class."""
    setattr(owner, name, around(getattr(owner, name)))


def frame_of(graph: Mapping[Any, Any], name: str, meta: Any, divisions: Any) -> Any:
    """A dask data frame of the graph whose keys are `(name, i)`: what `new_dd_object` was."""
    keys = [(name, part) for part in range(len(divisions) - 1)]
    # A token of our own: dask would make one by hashing every table that the graph holds.
    token = uuid.uuid4().hex
    frozen = FromGraph(graph, meta, tuple(divisions), keys, name, _determ_token=token)  # type: ignore[no-untyped-call]
    return new_collection(frozen)  # type: ignore[no-untyped-call]


def freeze(frame: Any) -> Any:
    """The same data frame with its graph made, so that its keys are `(frame._name, i)` from now on."""
    if isinstance(frame.expr, FromGraph):
        return frame
    optimised = frame.optimize()
    return frame_of(optimised.__dask_graph__(), optimised._name, optimised._meta, optimised.divisions)


def lend_names() -> None:
    """Names that Merlin imports from modules of dask where they no longer are.

    Names are added and nothing is replaced, so that dask is the same for everyone else. Without them no module of
    Merlin can be imported.
    """
    for name, value in {
        "new_dd_object": frame_of,
        "hash_object_dispatch": dispatch.hash_object_dispatch,
        "DataFrame": dd.DataFrame,
        "Series": dd.Series,
    }.items():
        if not hasattr(dask_core, name):
            setattr(dask_core, name, value)
    if not hasattr(multi, "concat"):
        multi.concat = dd.concat  # type: ignore[attr-defined]
    if "dask.dataframe.optimize" not in sys.modules:
        # Only called where the graph is final already: see `optimized`.
        module = types.ModuleType(
            "dask.dataframe.optimize", "From hmgpu.parts.models.encode.merlin: leaves a graph as it is."
        )
        module.optimize = lambda graph, keys=None, **_: graph  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module


def optimized(ddf: Any = None, dsk: Any = None, keys: Any = None) -> Any:
    """For `ensure_optimize_dataframe_graph`, which sets the graph of a frame: an expression lets nobody do that."""
    return dsk if ddf is None else freeze(ddf)


def own_index(part: Any) -> Any:
    """The rows numbered from 0, in a table that can be given columns without its source seeing them."""
    if not isinstance(part, pd.DataFrame):
        return part.reset_index(drop=True)
    part = part.copy(deep=False)
    part.index = pd.RangeIndex(len(part))
    return part


def indexed(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `Dataset.to_ddf`: a frozen frame, each of whose partitions numbers its rows from 0.

    The second half fixes a silent error of Merlin's own. `Dataset(table, npartitions=4)` keeps the table's index, while
    Categorify uses index labels as row numbers, and pandas lines up new columns by index: from the second partition
    on, nulls got codes of other rows and shares of a group's mean became NaN.
    """

    @functools.wraps(original)
    def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
        frame = original(self, *args, **kwargs)
        return freeze(frame.map_partitions(own_index, meta=frame._meta, enforce_metadata=False, clear_divisions=True))

    return replacement


def plain_strings(original: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps dask from making Arrow strings of strings in here: Merlin knows neither their dtype nor their nulls."""

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        with dask.config.set({"dataframe.convert-string": False}):
            return original(*args, **kwargs)

    return replacement
