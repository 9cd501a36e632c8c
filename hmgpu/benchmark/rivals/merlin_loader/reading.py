"""Read Parquet files as partitions: Merlin's engine used hooks of dask's Parquet readers that are gone.

A partition is up to `row_groups_per_part` row groups of one file, read as Merlin's tables are: numbers of NumPy's
types, strings as objects, and pandas' index in the file ignored.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hmgpu.parts.models.encode.merlin.graphs import frame_of


@dataclass(frozen=True)
class Piece:
    """One partition: some row groups of a file."""

    path: str
    groups: tuple[int, ...]
    rows: int


def to_ddf(self: Any, columns: Any = None, cpu: bool | None = None) -> Any:
    """Replace `ParquetDatasetEngine.to_ddf`: return a dask frame with these partitions."""
    cpu = self.cpu if cpu is None else cpu
    pieces = [piece for path in self.stripped_paths for piece in _pieces(path, self.row_groups_per_part)]
    self._pp_metadata = {
        "parts": [{"piece": (piece.path, list(piece.groups), None)} for piece in pieces],
        "stats": [{"num-rows": piece.rows, "columns": []} for piece in pieces],
    }
    schema = pq.read_schema(pieces[0].path)
    names = schema.names if columns is None else list(columns)
    meta = _frame(pa.schema([schema.field(name) for name in names]).empty_table(), cpu)
    name = f"parquet-{uuid.uuid4().hex}"
    graph = {(name, i): (partial(_read, piece, names, cpu),) for i, piece in enumerate(pieces)}
    return frame_of(graph, name, meta, [None] * (len(pieces) + 1))


def sample_data(self: Any, n: int = 1) -> Any:
    """Replace `ParquetDatasetEngine.sample_data`: return the first `n` rows."""
    (path, *_) = self.stripped_paths
    return _read(next(_pieces(path, 1)), pq.read_schema(path).names, self.cpu).head(n)


def _pieces(path: str, groups_a_piece: int) -> Iterator[Piece]:
    """The partitions of a file."""
    footer = pq.read_metadata(path)
    for first in range(0, footer.num_row_groups, groups_a_piece):
        groups = tuple(range(first, min(first + groups_a_piece, footer.num_row_groups)))
        yield Piece(path, groups, sum(footer.row_group(group).num_rows for group in groups))


def _read(piece: Piece, names: Sequence[str], cpu: bool) -> Any:
    """The rows of a partition, their columns in the order of `names`."""
    if cpu:
        with pq.ParquetFile(piece.path) as file:
            return _frame(file.read_row_groups(list(piece.groups), columns=list(names)).select(list(names)), cpu)
    import cudf

    settings = {"columns": list(names), "row_groups": [list(piece.groups)], "use_pandas_metadata": False}
    return cudf.read_parquet(piece.path, **settings)[list(names)]


def _frame(table: pa.Table, cpu: bool) -> Any:
    if cpu:
        return table.to_pandas(ignore_metadata=True)
    import cudf

    return cudf.DataFrame.from_arrow(table)
