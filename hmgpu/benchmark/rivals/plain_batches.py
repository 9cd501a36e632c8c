"""The loader that one would write in torch: the files read once into tensors, shuffled, and gathered batch by batch."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch

from hmgpu.neural.batches import Inputs, tensors

VALUES, OFFSETS = "__values", "__offsets"


class PlainBatches:
    """What `FileBatches` gives: files in random order, the rows of each in batches of equal size, at most `batch`.

    All files lie in memory, on the device that trains, a list column as its values and offsets.
    """

    def __init__(self, files: Sequence[Path], batch: int, device: str) -> None:
        tables = [pl.read_parquet(file) for file in files]
        self.batch = batch
        self.bounds = np.cumsum([0, *(table.height for table in tables)])
        self.columns = next(tensors(pl.concat(tables), int(self.bounds[-1]), device))
        self.device = device

    def __len__(self) -> int:
        """Rows of all files."""
        return int(self.bounds[-1])

    def __iter__(self) -> Iterator[tuple[Inputs, None]]:
        for file in np.random.permutation(len(self.bounds) - 1):
            first, end = self.bounds[file], self.bounds[file + 1]
            rows = torch.from_numpy(first + np.random.permutation(end - first)).to(self.device)
            for chosen in rows.tensor_split(math.ceil(len(rows) / self.batch)):
                yield self.gather(chosen), None

    def gather(self, rows: torch.Tensor) -> Inputs:
        """The batch of these `rows`, counted through all files."""
        batch: Inputs = {}
        for name, column in self.columns.items():
            if name.endswith(VALUES):
                offsets = self.columns[name.removesuffix(VALUES) + OFFSETS]
                batch[name], batch[name.removesuffix(VALUES) + OFFSETS] = _lists(column, offsets, rows)
            elif not name.endswith(OFFSETS):
                batch[name] = column[rows]
        return batch


def _lists(values: torch.Tensor, offsets: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values and offsets of some rows of a list column, in their order."""
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    made = torch.zeros(len(rows) + 1, dtype=offsets.dtype, device=offsets.device)
    torch.cumsum(lengths, 0, out=made[1:])
    # Each value's place: where its row starts in `values`, plus how far into the row it is.
    within = torch.arange(int(made[-1]), device=offsets.device)
    return values[within + torch.repeat_interleave(starts - made[:-1], lengths)], made
