"""Batches of encoded rows as tensors: Merlin's loader over Parquet files, and whole tables at once."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import torch

from hmgpu.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.engine import Engine
from hmgpu.errors import DataError

from merlin.dataloader.torch import Loader  # isort: skip
from merlin.io import Dataset  # isort: skip
from merlin.schema import ColumnSchema  # isort: skip

Inputs = dict[str, torch.Tensor]
TARGET, WEEK, LOG_DRAWS, WEIGHT, SHARE = "target", "week", "log_draws", "weight", "share"
"""Columns of encoded purchases that describe no side; see purchases.py."""


class FileBatches:
    """Merlin's loader over `files`, one after the other in random order: batches of (inputs, None), each of one file.

    The rows of a file come in random order and in batches of equal size, at most `batch`. A list column arrives as
    `<name>__values` and `<name>__offsets`. All order follows the state of NumPy's generator when a pass begins. Of
    several `processes`, each gets every n-th file, and all the same number of batches, since they wait for each other.
    """

    def __init__(self, files: Sequence[Path], batch: int, engine: Engine, rank: int = 0, processes: int = 1) -> None:
        self.engine = engine
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
        # A loader for each file: one over all would fill up the last batch of a file from the next.
        data = Dataset([str(file)], engine="parquet", cpu=self.engine.name == "cpu")
        size = math.ceil(self.sizes[file] / self.steps[file])
        yield from Loader(data, batch_size=size, shuffle=True, parts_per_chunk=data.npartitions)


def tensors(rows: pl.DataFrame, size: int, device: str) -> Iterator[Inputs]:
    """`rows` in their order as the loader would give them, `size` rows at a time."""
    for some in rows.iter_slices(size):
        yield {name: tensor.to(device) for column in some for name, tensor in _tensors(column)}


def blank(columns: Iterable[ColumnSchema]) -> Inputs:
    """One row of padding for every column: what gives lazy layers their shapes."""
    row: Inputs = {}
    for column in columns:
        if column.is_list:
            row[f"{column.name}__values"] = torch.zeros(1, dtype=torch.int32)
            row[f"{column.name}__offsets"] = torch.tensor([0, 1])
        else:
            row[column.name] = torch.zeros(1, dtype=torch.float32 if column.int_domain is None else torch.int32)
    return row


def _tensors(column: pl.Series) -> Iterator[tuple[str, torch.Tensor]]:
    if column.dtype != pl.List:
        yield column.name, torch.from_numpy(column.to_numpy().copy())
        return
    ends = column.list.len().cast(pl.Int64).cum_sum()
    yield f"{column.name}__values", torch.from_numpy(column.explode().to_numpy().copy())
    yield f"{column.name}__offsets", torch.from_numpy(pl.concat([pl.Series([0]), ends]).to_numpy().copy())
