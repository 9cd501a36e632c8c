"""Merlin's loader as its documentation shows it: one loader over all files, a partition for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hmgpu.benchmark.rivals import merlin_loader  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.core.engine import Engine

from merlin.dataloader.torch import Loader  # isort: skip
from merlin.io import Dataset  # isort: skip


def merlin_batches(files: Sequence[Path], batch: int, engine: Engine) -> Any:
    """Return Merlin's loader of (inputs, None), which shuffles the rows of each file.

    A batch may hold the end of one file and the start of the next. The loader reads and shuffles in a thread of its own
    while a batch is used.
    """
    data = Dataset([str(file) for file in files], engine="parquet", cpu=engine.name == "cpu")
    return Loader(data, batch_size=batch, shuffle=True)
