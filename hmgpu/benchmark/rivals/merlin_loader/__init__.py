"""Merlin's own loader over Parquet files, running on today's stack: importing this folder patches it."""

import importlib

from hmgpu.benchmark.rivals.merlin_loader import lists, reading, shuffling
from hmgpu.parts.models.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.parts.models.encode.merlin import versions
from hmgpu.parts.models.encode.merlin.graphs import rebind, wrap

versions.check({"merlin-dataloader": "23.8.0"})


def _apply() -> None:
    """Patch the reading of files, the order of rows and the list columns."""
    loader = importlib.import_module("merlin.dataloader.loader_base")
    parquet = importlib.import_module("merlin.io.parquet")
    dispatch = importlib.import_module("merlin.core.dispatch")
    parquet.ParquetDatasetEngine.to_ddf = reading.to_ddf
    parquet.ParquetDatasetEngine.sample_data = reading.sample_data
    loader.LoaderBase._shuffle_indices = shuffling.shuffle_indices
    wrap(loader.ChunkQueue, "load_chunks", shuffling.load_chunks)
    loader.ChunkQueue.get = shuffling.get
    rebind(importlib.import_module("merlin.io.shuffle").shuffle_df, shuffling.shuffle_df)
    rebind(dispatch.flatten_list_column_values, lists.flat(dispatch.flatten_list_column_values))
    if dispatch.HAS_GPU:
        rebind(dispatch.pull_apart_list, lists.pull_apart(dispatch.pull_apart_list))


_apply()
