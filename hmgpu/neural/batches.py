"""Batches of encoded rows as tensors: Merlin's loader over Parquet files, and whole tables at once."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import torch

from hmgpu.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.engine import Engine

from merlin.dataloader.torch import Loader  # isort: skip
from merlin.io import Dataset  # isort: skip
from merlin.schema import ColumnSchema  # isort: skip

Inputs = dict[str, torch.Tensor]


def loader(files: Sequence[Path], batch: int, engine: Engine, rank: int = 0, processes: int = 1) -> Iterable[Any]:
    """Merlin's loader over `files`: batches of (inputs, None), each from one file alone.

    Files come in random order, and the rows of each. A list column arrives as `<name>__values` and `<name>__offsets`.
    The order follows the state of NumPy's generator when a pass begins. With several `processes`, each gets its share
    of the files.
    """
    data = Dataset([str(file) for file in files], engine="parquet", cpu=engine.name == "cpu")
    batches: Iterable[Any] = Loader(data, batch_size=batch, shuffle=True, global_size=processes, global_rank=rank)
    return batches


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
