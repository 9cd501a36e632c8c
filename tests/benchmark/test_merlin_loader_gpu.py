"""Merlin's loader on a GPU: run where there is one."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hmgpu.benchmark.rivals import merlin_loader  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.core.engine import Engine

import nvtabular as nvt  # isort: skip
from merlin.core import dispatch  # isort: skip
from merlin.dataloader.torch import Loader  # isort: skip

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("ignore:.*an NVTabular Dataset .* CPU mode")]
ROWS = 2000


@pytest.fixture(scope="module", autouse=True)
def cudf(gpu: Engine) -> Any:
    return pytest.importorskip("cudf")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "article": random.zipf(1.6, ROWS).clip(max=60).astype("int64"),
            "price": random.lognormal(0.0, 1.0, ROWS),
            "bought": random.random(ROWS) < 0.3,
            "key": np.arange(ROWS),
            "past": [list(map(int, random.integers(0, 9, size))) for size in random.integers(1, 5, ROWS)],
        }
    )


@pytest.mark.parametrize("rows", [[[1, 2], [3], [], [4, 5, 6]], [[1, 2], None, [3]], [["a"], ["b", "c"]]])
def test_lists_are_taken_apart(rows: list[Any], cudf: Any) -> None:
    values, offsets = dispatch.pull_apart_list(cudf.Series(rows))
    lengths = [len(row) if row else 0 for row in rows]
    assert offsets.to_arrow().to_pylist() == [0, *np.cumsum(lengths).tolist()]
    assert values.to_arrow().to_pylist() == [value for row in rows for value in row or []]


def test_a_slice_of_lists_starts_at_its_first_row(cudf: Any) -> None:
    rows = cudf.Series([[1, 2], [3], [4, 5, 6], [7]]).iloc[1:3]
    values, offsets = dispatch.pull_apart_list(rows)
    assert (values.to_arrow().to_pylist(), offsets.to_arrow().to_pylist()) == ([3, 4, 5, 6], [0, 1, 4])


def test_batches_lie_on_the_gpu(table: pd.DataFrame, cudf: Any, tmp_path: Path) -> None:
    names = ["article", "price", "bought", "key", "past"]
    files = [str(tmp_path / f"part_{n}.parquet") for n in range(4)]
    for file, first in zip(files, range(0, ROWS, ROWS // 4), strict=True):
        table[names].iloc[first : first + ROWS // 4].to_parquet(file, index=False)

    def epochs(cpu: bool, shuffle: bool) -> list[list[Any]]:
        np.random.seed(5)
        rows = nvt.Dataset(files, engine="parquet", cpu=cpu)
        loader = Loader(rows, batch_size=256, shuffle=shuffle)
        return [[batch for batch, _ in loader] for _ in range(2)]

    first = epochs(cpu=False, shuffle=False)[0]
    assert {tensor.device.type for batch in first for tensor in batch.values()} == {"cuda"}
    past = []
    for batch in first:
        values, offsets = batch["past__values"].tolist(), batch["past__offsets"].tolist()
        past += [values[start:end] for start, end in pairwise(offsets)]
    assert past == table.past.tolist()
    for name in names[:-1]:
        assert [value for batch in first for value in batch[name].tolist()] == table[name].tolist()

    def keys(cpu: bool) -> list[list[int]]:
        return [[key for batch in epoch for key in batch["key"].tolist()] for epoch in epochs(cpu, shuffle=True)]

    on_gpu = keys(cpu=False)
    assert on_gpu == keys(cpu=False)
    assert on_gpu == keys(cpu=True)
    assert on_gpu[0] != on_gpu[1]
