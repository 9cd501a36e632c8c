"""Batches of encoded rows as tensors: from Parquet files in random order, or from tables in their own order."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.parquet import read_table

if TYPE_CHECKING:  # models that have no encoded columns do without Merlin
    from merlin.schema import ColumnSchema

Inputs = dict[str, torch.Tensor]
TARGET, WEEK, LOG_DRAWS, WEIGHT, SHARE = "target", "week", "log_draws", "weight", "share"
"""Columns of encoded purchases that describe neither customers nor articles; see purchases.py."""
VALUES, OFFSETS = "__values", "__offsets"


class FileBatches:
    """The rows of `files` in random order, as batches of (inputs, None), each from one file.

    Files come in random order, and so do the rows of a file, in batches of at most `batch` rows whose sizes differ by
    at most one row. A list column becomes `<name>__values` and `<name>__offsets`, as Merlin's blocks expect. The order
    depends on the state of NumPy's generator when a pass begins. With several `processes`, each of them gets every n-th
    file, and all get the same number of batches, since they wait for each other.

    Merlin's own loader is not used: it makes a Python object of every list, mixes weeks in a batch, and took four times
    as long (docs/results/two-tower.md). Here a file lies on the training device as one tensor for each column, and
    batches are gathered from these tensors.
    """

    def __init__(self, files: Sequence[Path], batch: int, engine: Engine, rank: int = 0, processes: int = 1) -> None:
        self.device = engine.device
        self.sizes = {file: pq.read_metadata(file).num_rows for file in files}
        self.sizes = {file: rows for file, rows in self.sizes.items() if rows}
        self.steps = {file: math.ceil(rows / batch) for file, rows in self.sizes.items()}
        shares = [list(self.sizes)[number::processes] for number in range(processes)]
        self.own = shares[rank]
        self.length: int = min(sum(self.steps[file] for file in share) for share in shares)
        if not self.length:
            raise DataError(f"There is nothing to train on in {len(files)} files for each of {processes} processes.")

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[Inputs, None]]:
        order = np.random.permutation(len(self.own))
        return itertools.islice(
            itertools.chain.from_iterable(self._batches(self.own[place]) for place in order), self.length
        )

    def _batches(self, file: Path) -> Iterator[tuple[Inputs, None]]:
        rows = torch.from_numpy(np.random.permutation(self.sizes[file])).to(self.device)
        columns = whole(read_table(file), self.device)
        for chosen in rows.tensor_split(self.steps[file]):
            yield gather(columns, chosen), None


def whole(rows: pl.DataFrame, device: str) -> Inputs:
    """Return all `rows` as one batch, in their order."""
    return {name: tensor.to(device) for column in rows for name, tensor in _tensors(column)}


def tensors(rows: pl.DataFrame, size: int, device: str) -> Iterator[Inputs]:
    """Yield `rows` in their order, `size` at a time."""
    return (whole(some, device) for some in rows.iter_slices(size))


def gather(columns: Inputs, rows: torch.Tensor) -> Inputs:
    """Return the batch of these `rows` of `columns`, in the order of `rows`."""
    batch: Inputs = {}
    for name, column in columns.items():
        if name.endswith(VALUES):
            offsets = name.removesuffix(VALUES) + OFFSETS
            batch[name], batch[offsets] = _gathered_lists(column, columns[offsets], rows)
        elif not name.endswith(OFFSETS):
            batch[name] = column[rows]
    return batch


def blank(columns: "Iterable[ColumnSchema]") -> Inputs:
    """Return one row of padding for every column, from which lazy layers infer their shapes."""
    row: Inputs = {}
    for column in columns:
        if column.is_list:
            row[column.name + VALUES] = torch.zeros(1, dtype=torch.int32)
            row[column.name + OFFSETS] = torch.tensor([0, 1])
        else:
            row[column.name] = torch.zeros(1, dtype=torch.float32 if column.int_domain is None else torch.int32)
    return row


def padded(columns: Inputs, name: str, width: int) -> torch.Tensor:
    """Return a list column as a matrix (rows, `width`), with zeros after the end of each list."""
    offsets = columns[name + OFFSETS]
    inside = torch.arange(width, device=offsets.device) < offsets.diff()[:, None]
    return columns[name + VALUES].new_zeros(inside.shape).masked_scatter(inside, columns[name + VALUES])


def _tensors(column: pl.Series) -> Iterator[tuple[str, torch.Tensor]]:
    if column.dtype != pl.List:
        yield column.name, torch.from_numpy(column.to_numpy().copy())
        return
    ends = column.list.len().fill_null(0).cast(pl.Int64).cum_sum()
    values = column.explode(empty_as_null=False, keep_nulls=False)
    yield column.name + VALUES, torch.from_numpy(values.to_numpy().copy())
    yield column.name + OFFSETS, torch.from_numpy(pl.concat([pl.Series([0]), ends]).to_numpy().copy())


def _gathered_lists(
    values: torch.Tensor, offsets: torch.Tensor, rows: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values and offsets of some rows of a list column, in the order of `rows`."""
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    gathered = torch.zeros(len(rows) + 1, dtype=offsets.dtype, device=offsets.device)
    torch.cumsum(lengths, 0, out=gathered[1:])
    # Each value's place: where its row starts in `values`, plus how far into the row it is.
    within = torch.arange(int(gathered[-1]), device=offsets.device)
    return values[within + torch.repeat_interleave(starts - gathered[:-1], lengths)], gathered
