"""A loader as one would write it in torch: files read once into tensors, shuffled, and gathered batch by batch."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch

from hmgpu.parts.models.training.batches import Inputs, gather, whole


class PlainBatches:
    """The batches of `FileBatches`, from memory: files in random order, each file's rows in batches of equal size.

    All files lie on the device that trains, a list column as its values and offsets.
    """

    def __init__(self, files: Sequence[Path], batch: int, device: str) -> None:
        tables = [pl.read_parquet(file) for file in files]
        self.batch = batch
        self.bounds = np.cumsum([0, *(table.height for table in tables)])
        self.columns = whole(pl.concat(tables), device)
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
        """Return the batch of these `rows`, counted through all files."""
        return gather(self.columns, rows)
