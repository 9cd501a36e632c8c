"""How operators get their statistics: each its own, and the same however the rows are cut into partitions."""

import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import dask.base
import numpy as np
import pandas as pd
from dask.dataframe.dask_expr import FrameBase
from dask.delayed import Delayed, delayed

from hmgpu.core.errors import DataError
from hmgpu.parts.models.encode.merlin.graphs import freeze, own_index

LOG = logging.getLogger("merlin")
NULL = 1  # Categorify's code for a missing value


def fit_phase(self: Any, dataset: Any, nodes: Sequence[Any], strict: bool = False) -> None:
    """For `DaskExecutor.fit_phase`, which computes the statistics of several operators together; else the same.

    Merlin hands all statistics to one dask.compute, which since dask 2025 groups them by kind: what went in as `[frame,
    delayed, frame]` came out as `[frame, frame, delayed]`, and an operator was fitted on another's statistics. Here
    each is made a `Delayed` first, and of one kind nothing moves. With a Client, Merlin's own branch also drops the
    statistics that are None, which moves all that follow; here they stay.
    """
    from merlin.core.utils import global_dask_client
    from merlin.dag import ColumnSelector
    from merlin.io import Dataset

    frame = dataset.to_ddf()
    statistics = []
    for node in nodes:
        given = set()
        if node.parents:
            upstream = sum((parent.output_columns for parent in node.parents_with_dependencies), ColumnSelector())
            given = set(node.input_columns.names) - set(upstream.names)
        columns = self.transform(
            frame,
            node.parents_with_dependencies,
            additional_columns=sorted(given),
            capture_dtypes=True,
            strict=strict,
        )
        try:
            source = Dataset(frame) if node.op.is_subgraph else freeze(columns)
            statistics.append(as_delayed(node.op.fit(node.input_columns, source)))
        except Exception:
            LOG.exception("Failed to fit operator %s", node.op)
            raise
    client = global_dask_client()
    if client:
        results = client.gather(client.compute(statistics))
    else:
        results = dask.base.compute(statistics, scheduler="synchronous")[0]  # type: ignore[no-untyped-call]
    for result, node in zip(results, nodes, strict=True):
        node.op.fit_finalize(result)
        node.op.fitted = True
    refuse_shared_tables([node.op for node in nodes])


def refuse_shared_tables(operators: Iterable[Any], by: Callable[[str], str] = str) -> None:
    """DataError if two operators keep a table at one place, where the second silently overwrote the first's.

    JoinGroupby and TargetEncoding of one column both write `cat_stats.<column>.parquet`.
    """
    owners: dict[str, Any] = {}
    for operator in operators:
        # What JoinGroupby calls `stats` is the list of what to compute.
        kept = [getattr(operator, name, None) for name in ("categories", "stats")]
        for path in (path for tables in kept if isinstance(tables, dict) for path in tables.values()):
            # ValueCount's `stats` are numbers.
            if isinstance(path, str) and owners.setdefault(by(path), operator) is not operator:
                raise DataError(f"Two operators keep their table in {path}: give each an out_path and a column name.")


def as_delayed(statistics: Any) -> Any:
    """What an operator's `fit` returned, as one `Delayed` with a flat graph.

    dask calls a layer by `id(frame)` where a frame has no layers of its own, as no expression has. Merlin's frames are
    gone by the time that the statistics are computed together, and another may have got the id: its layer then took the
    place of the first, so that now and then an operator got a key in place of a table, or another's table.
    """
    made = statistics if isinstance(statistics, Delayed) else delayed(_settled(statistics))
    return Delayed(made.key, dict(made.dask))  # type: ignore[no-untyped-call]


def _settled(statistics: Any) -> Any:
    """The same with each frame and number in it made `Delayed`: inside dicts and lists dask's own way fails on them."""
    if isinstance(statistics, dict):
        return {key: _settled(value) for key, value in statistics.items()}
    if isinstance(statistics, list | tuple):
        return type(statistics)(_settled(each) for each in statistics)
    return delayed(statistics) if isinstance(statistics, FrameBase) else statistics


def fit_median(self: Any, col_selector: Any, ddf: Any) -> Any:
    """For `FillMedian.fit`: the exact median.

    dask's quantile of several partitions is an approximation that depends on where they are cut.
    """
    columns = list(col_selector.names)
    parts = freeze(ddf[columns]).to_delayed(optimize_graph=False)
    return delayed(_medians)([delayed(_occurrences)(part) for part in parts], columns)


def _occurrences(part: Any) -> list[pd.Series]:
    """How often each value occurs, a column: far fewer numbers than rows for prices or ages."""
    counts = (part[column].dropna().value_counts(sort=False) for column in part.columns)
    return [each if isinstance(each, pd.Series) else each.to_pandas() for each in counts]


def _medians(parts: Sequence[Sequence[pd.Series]], columns: Sequence[str]) -> pd.Series:
    return pd.Series({column: _median([part[i] for part in parts]) for i, column in enumerate(columns)})


def _median(occurrences: Sequence[pd.Series]) -> float:
    values = np.concatenate([each.index.to_numpy(dtype="float64", na_value=np.nan) for each in occurrences])
    counts = np.concatenate([each.to_numpy() for each in occurrences])
    # cuDF tells NaN from null, and `dropna` may leave the former.
    values, counts = values[~np.isnan(values)], counts[~np.isnan(values)]
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    # Sorted rows (n-1)//2 and n//2: the same one where n is odd.
    middle = np.searchsorted(reached, [(reached[-1] - 1) // 2, reached[-1] // 2], side="right")
    return float(values[order][middle].mean())


def ranked(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `_save_encodings`, which numbers categories in the order of their rows: frequent first, ties by their value.

    Merlin sorts by frequency in an unstable way, so that codes of equally frequent values depended on the engine, and
    with pandas even on the processor's instructions.
    """

    @functools.wraps(original)
    def replacement(df: Any, *args: Any, **kwargs: Any) -> Any:
        by_frequency = hasattr(df, "iloc") and len(df.columns) > 1 and str(df.columns[-1]).endswith("_size")
        if by_frequency and not hasattr(df, "dask") and not kwargs.get("preserve_index"):
            *keys, size = df.columns
            df = df.sort_values([size, *keys], ascending=[False] + [True] * len(keys), ignore_index=True)
        return original(df, *args, **kwargs)

    return replacement


def encoded(original: Callable[..., Any]) -> Callable[..., Any]:
    """Replace Categorify's `_encode`, which fails on a partition without rows or without a value.

    It also fails on nulls in a column of integers that had none when it was fitted. Here nulls get their code without
    going in.
    """

    @functools.wraps(original)
    def replacement(name: Any, storage_name: Any, path: Any, df: Any, *args: Any, **settings: Any) -> Any:
        missing = None if isinstance(name, list | tuple) or settings.get("single_table") else df[name].isna()
        if missing is None or (len(df) and not missing.any()):
            return original(name, storage_name, path, df, *args, **settings)
        present = (~missing).values
        codes = present.astype(settings.get("dtype") or "int64")
        codes[:] = NULL
        if present.any():
            codes[present] = original(name, storage_name, path, own_index(df[~missing]), *args, **settings)
        return codes

    return replacement
