"""Parquet files as partitions. Merlin's engine sat on hooks of dask's Parquet readers that are gone.

A partition is up to `row_groups_per_part` row groups of one file, in the order of the files' names, read as
Merlin's tables are: numbers of NumPy's types, strings as objects, nothing of pandas' index in the file.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pa_dataset
import pyarrow.parquet as pq
from dask.utils import natural_sort_key
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from hmgpu.core.errors import DataError
from hmgpu.parts.models.encode.merlin.graphs import frame_of

SUFFIXES = (".parquet", ".parq", ".pq")


@dataclass(frozen=True)
class Piece:
    """One partition: some row groups of a file."""

    path: str
    groups: tuple[int, ...]
    rows: int


def files(fs: Any, paths: Sequence[str]) -> list[str]:
    """The Parquet files that `paths` are or hold, and no others: Merlin writes a schema beside the tables it makes."""
    found: list[str] = []
    for path in paths:
        if fs.isdir(path):
            inside = [each for each in fs.find(path) if each.endswith(SUFFIXES)]
            found.extend(sorted(inside, key=natural_sort_key))
        else:
            found.append(path)
    if not found:
        raise DataError(f"There is no Parquet file in {', '.join(paths)}: give a folder that holds some.")
    return found


def dataset(self: Any) -> Any:
    """For `ParquetDatasetEngine._dataset`, which took every file of a folder for a Parquet file."""
    return pa_dataset.dataset(files(self.fs, self.stripped_paths), filesystem=self.fs, format="parquet")


def to_ddf(self: Any, columns: Any = None, cpu: bool | None = None) -> Any:
    """For `ParquetDatasetEngine.to_ddf`. Filters and the joining of small files went through dask and are refused."""
    if self.filters or self.aggregate_files or self.dataset_kwargs:
        raise DataError(
            "Parquet with filters=, aggregate_files= or dataset= can't be read: filter before it is written."
        )
    cpu = self.cpu if cpu is None else cpu
    pieces, schema, with_nulls = _plan(self.fs, files(self.fs, self.stripped_paths), self.row_groups_per_part)
    self._pp_metadata = {
        "parts": [{"piece": (piece.path, list(piece.groups), None)} for piece in pieces],
        "stats": [{"num-rows": piece.rows, "columns": []} for piece in pieces],
    }
    names = schema.names if columns is None else [columns] if isinstance(columns, str) else list(columns)
    empty = pa.schema([schema.field(name) for name in names]).empty_table()
    meta = _to_pandas(empty, with_nulls) if cpu else _to_cudf(empty)
    read = _read if cpu else _read_on_gpu
    name = f"parquet-{uuid.uuid4().hex}"
    graph = {(name, i): (partial(read, self.fs, piece, names, with_nulls),) for i, piece in enumerate(pieces)}
    return frame_of(graph, name, meta, [None] * (len(pieces) + 1))


def sample_data(self: Any, n: int = 1) -> Any:
    """For `ParquetDatasetEngine.sample_data`: the first rows with the dtypes that all partitions have."""
    pieces, schema, with_nulls = _plan(self.fs, files(self.fs, self.stripped_paths), self.row_groups_per_part)
    first = Piece(pieces[0].path, pieces[0].groups[:1], pieces[0].rows)
    return (_read if self.cpu else _read_on_gpu)(self.fs, first, schema.names, with_nulls).head(n)


def _plan(fs: Any, paths: Sequence[str], groups_a_piece: int) -> tuple[list[Piece], pa.Schema, frozenset[str]]:
    """The partitions, the columns of the first file, and which of them hold a null anywhere."""
    pieces = []
    with_nulls: set[str] = set()
    schema = None
    for path in paths:
        with fs.open(path, "rb") as file:
            footer = pq.read_metadata(file)
        schema = footer.schema.to_arrow_schema() if schema is None else schema
        for first in range(0, footer.num_row_groups, groups_a_piece):
            groups = tuple(range(first, min(first + groups_a_piece, footer.num_row_groups)))
            rows = sum(footer.row_group(group).num_rows for group in groups)
            pieces.append(Piece(path, groups, rows))
            with_nulls |= {name for group in groups for name in _nulls(footer.row_group(group))}
    # Merlin's operators stumble over partitions without rows; one is kept where there is nothing else.
    filled = [piece for piece in pieces if piece.rows] or pieces[:1]
    if schema is None or not filled:
        raise DataError(f"The Parquet files hold no rows: {', '.join(paths)}.")
    return filled, schema, frozenset(with_nulls)


def _nulls(group: Any) -> set[str]:
    """The columns of a row group that hold nulls, or may: a writer needn't count them."""
    columns = (group.column(i) for i in range(group.num_columns))
    return {each.path_in_schema for each in columns if not (each.is_stats_set and each.statistics.null_count == 0)}


def _read(fs: Any, piece: Piece, names: Sequence[str], with_nulls: frozenset[str]) -> pd.DataFrame:
    with fs.open(piece.path, "rb") as file:
        table = pq.ParquetFile(file).read_row_groups(list(piece.groups), columns=list(names))
    return _to_pandas(table.select(list(names)), with_nulls)


def _to_pandas(table: pa.Table, with_nulls: frozenset[str]) -> pd.DataFrame:
    """Integers and flags with a null in *any* partition become floats and objects in all, for one dtype throughout."""
    frame = table.to_pandas(ignore_metadata=True)
    for name in with_nulls & set(frame.columns):
        if pd.api.types.is_bool_dtype(frame[name].dtype):
            frame[name] = frame[name].astype(object)
        elif pd.api.types.is_integer_dtype(frame[name].dtype):
            frame[name] = frame[name].astype("float64")
    return frame


def _read_on_gpu(fs: Any, piece: Piece, names: Sequence[str], with_nulls: frozenset[str]) -> Any:
    """cuDF's integers hold nulls, so `with_nulls` changes nothing."""
    import cudf

    settings = {"columns": list(names), "row_groups": [list(piece.groups)], "use_pandas_metadata": False}
    if isinstance(fs, LocalFileSystem):
        frame = cudf.read_parquet(piece.path, **settings)  # straight from the disk
    else:
        with fs.open(piece.path, "rb") as file:
            frame = cudf.read_parquet(file, **settings)
    return frame[list(names)]


def _to_cudf(table: pa.Table) -> Any:
    import cudf

    return cudf.DataFrame.from_arrow(table)
