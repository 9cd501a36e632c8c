"""Merlin's loader over files: partitions, an order that a seed decides alone, and what batches hold."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hmgpu.benchmark.rivals import merlin_loader  # noqa: F401  (patches Merlin before it is imported)

import nvtabular as nvt  # isort: skip
import torch  # isort: skip
from merlin.dataloader.torch import Loader  # isort: skip

# pytest forgets the filters that importing the patches sets.
pytestmark = pytest.mark.filterwarnings("ignore:.*an NVTabular Dataset .* CPU mode")
ROWS = 600


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Numbers of every kind, some missing, and lists."""
    random = np.random.default_rng(0)
    sizes = random.integers(1, 5, ROWS)
    return pd.DataFrame(
        {
            "price": random.lognormal(0.0, 1.0, ROWS),
            "age": np.where(random.random(ROWS) < 0.2, np.nan, random.integers(16, 90, ROWS)),
            "bought": random.random(ROWS) < 0.3,
            "key": np.arange(ROWS),
            "past": [list(map(int, random.integers(0, 9, size))) for size in sizes],
        }
    )


@pytest.fixture
def files(table: pd.DataFrame, tmp_path: Path) -> list[str]:
    """The table in three files of several row groups."""
    written = []
    for i, part in enumerate([table.iloc[:250], table.iloc[250:450], table.iloc[450:]]):
        written.append(str(tmp_path / f"part_{i}.parquet"))
        pq.write_table(pa.Table.from_pandas(part, preserve_index=False), written[-1], row_group_size=60)
    return written


def test_reads_row_groups_of_several_files_as_partitions(files: list[str], table: pd.DataFrame) -> None:
    rows = nvt.Dataset(files, engine="parquet", row_groups_per_part=2, cpu=True)
    frame = rows.to_ddf()
    assert frame.npartitions == 3 + 2 + 2
    assert rows.num_rows == ROWS
    assert rows.partition_lens == [120, 120, 10, 120, 80, 120, 30]
    found = frame.compute(scheduler="synchronous").reset_index(drop=True)
    pd.testing.assert_frame_equal(found.drop(columns="past"), table.drop(columns="past"))
    assert [row.tolist() for row in found.past] == table.past.tolist()
    assert rows.to_ddf(columns=["key", "bought"]).compute().dtypes.astype(str).tolist() == ["int64", "bool"]


def batches(loader: Loader) -> list[dict[str, torch.Tensor]]:
    return [batch for batch, _ in loader]


def keys(loader: Loader) -> list[int]:
    return [int(key) for batch in batches(loader) for key in batch["key"]]


def test_batches_hold_what_the_files_hold(files: list[str], table: pd.DataFrame) -> None:
    rows = nvt.Dataset(files, engine="parquet", row_groups_per_part=2, cpu=True)
    read = batches(Loader(rows, batch_size=128, shuffle=False))
    assert [len(batch["key"]) for batch in read] == [128, 128, 128, 128, 88]
    together = {name: torch.cat([batch[name] for batch in read]) for name in ("key", "price", "bought", "age")}
    assert together["key"].dtype == torch.int64
    assert together["price"].dtype == torch.float64
    assert together["key"].tolist() == table.key.tolist()
    assert together["price"].tolist() == table.price.tolist()
    assert together["bought"].bool().tolist() == table.bought.tolist()
    np.testing.assert_array_equal(together["age"], table.age)
    found = []
    for batch in read:
        values, offsets = batch["past__values"].tolist(), batch["past__offsets"].tolist()
        found += [values[start:end] for start, end in pairwise(offsets)]
    assert found == table.past.tolist()


def test_a_seed_decides_every_order_and_epochs_differ(files: list[str]) -> None:
    rows = nvt.Dataset(files, engine="parquet", row_groups_per_part=1, cpu=True)
    rows.schema = rows.schema.select_by_name(["key"])

    def epochs(seed: int, noise: bool) -> list[list[int]]:
        np.random.seed(seed)
        loader, found = Loader(rows, batch_size=50, shuffle=True), list[list[int]]()
        for _ in range(2):
            found.append([])
            for batch, _ in loader:
                found[-1] += batch["key"].tolist()
                if noise:
                    np.random.RandomState(5).rand(3)
        return found

    first = epochs(3, noise=False)
    assert epochs(3, noise=True) == first
    assert first[0] != first[1]
    assert epochs(4, noise=False) != first
    assert all(sorted(epoch) == list(range(ROWS)) for epoch in first)


def test_rows_do_not_depend_on_what_the_training_loop_draws(files: list[str]) -> None:
    rows = nvt.Dataset(files, engine="parquet", row_groups_per_part=1, cpu=True)
    rows.schema = rows.schema.select_by_name(["key"])

    def epoch(draw: bool) -> list[int]:
        np.random.seed(3)
        found = []
        for batch, _ in Loader(rows, batch_size=50, shuffle=True):
            found += batch["key"].tolist()
            if draw:
                np.random.rand(3)
        return found

    assert epoch(draw=True) == epoch(draw=False)


def test_each_epoch_reads_partitions_in_another_order(files: list[str]) -> None:
    """Merlin shuffled the order, but kept reading in the old one."""
    rows = nvt.Dataset(files, engine="parquet", row_groups_per_part=1, cpu=True)
    rows.schema = rows.schema.select_by_name(["key"])
    np.random.seed(0)
    loader = Loader(rows, batch_size=60, shuffle=True)
    assert len(loader) == 10
    starts = [[key // 60 for key in keys(loader)[:5]] for _ in range(4)]
    assert len({tuple(start) for start in starts}) > 1


def test_an_epoch_ends_though_its_thread_outlives_the_last_batch(files: list[str]) -> None:
    rows = nvt.Dataset(files, engine="parquet", cpu=True)
    rows.schema = rows.schema.select_by_name(["key"])
    loader = Loader(rows, batch_size=100, shuffle=False)
    logic = loader._buff.chunk_logic

    def slow(itr: Any) -> None:
        logic(itr)
        time.sleep(0.3)

    loader._buff.chunk_logic = slow
    assert keys(loader) == list(range(ROWS))
    assert keys(loader) == list(range(ROWS))
