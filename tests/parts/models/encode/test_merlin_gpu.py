"""Merlin on cuDF against Merlin on pandas: run where there is a GPU, in the order in which one thing needs another."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hmgpu.core.engine import Engine

import nvtabular as nvt  # isort: skip
from merlin.core import dispatch  # isort: skip
from nvtabular import ops  # isort: skip

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
            "colour": random.choice(["red", "blue", "grey", None], ROWS, p=[0.6, 0.25, 0.1, 0.05]),
            "price": random.lognormal(0.0, 1.0, ROWS),
            "age": np.where(random.random(ROWS) < 0.2, np.nan, random.integers(16, 90, ROWS)),
            "bought": random.random(ROWS) < 0.3,
            "key": np.arange(ROWS),
        }
    )


def host(frame: Any) -> pd.DataFrame:
    return (frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()).reset_index(drop=True)


def same(found: Any, expected: Any) -> None:
    found, expected = host(found), host(expected)
    assert list(found.columns) == list(expected.columns)
    for name in expected.columns:
        if isinstance(expected[name].iloc[0], list | np.ndarray):
            assert [list(row) for row in found[name]] == [list(row) for row in expected[name]], name
        elif expected[name].dtype.kind == "f":
            np.testing.assert_allclose(found[name].astype("float64"), expected[name], rtol=1e-5, err_msg=name)
        else:
            assert found[name].tolist() == expected[name].tolist(), name


def check(graph: Any, table: pd.DataFrame, cudf: Any, partitions: int = 3) -> tuple[Any, Any]:
    """Fits and transforms on both; `graph` makes the operators anew for each. Returns both workflows."""
    fitted = []
    for cpu, source in ((True, table), (False, cudf.DataFrame.from_arrow(dispatch.to_arrow(table)))):
        rows = nvt.Dataset(source, npartitions=partitions, cpu=cpu)
        workflow = nvt.Workflow(graph("cpu" if cpu else "gpu"))
        made = workflow.fit_transform(rows).to_ddf().compute(scheduler="synchronous")
        assert type(made).__module__.startswith("pandas" if cpu else "cudf")
        fitted.append((workflow, made))
    same(fitted[1][1], fitted[0][1])
    return fitted[0][0], fitted[1][0]


def test_merlin_found_the_gpu() -> None:
    from merlin.core import compat

    assert compat.HAS_GPU
    assert None not in (compat.cudf, compat.cupy, compat.dask_cudf)


def test_tables_move_to_the_gpu_and_back(table: pd.DataFrame, cudf: Any) -> None:
    moved = nvt.Dataset(table, npartitions=3, cpu=False)
    same(moved.to_ddf().compute(scheduler="synchronous"), table)
    moved.to_cpu()
    back = moved.to_ddf().compute(scheduler="synchronous")
    assert isinstance(back, pd.DataFrame)
    same(back, table)
    assert isinstance(dispatch.from_host(dispatch.to_host(cudf.from_pandas(table[["price"]]))), cudf.DataFrame)


# Operators


@pytest.mark.parametrize("partitions", [1, 3])
def test_codes(table: pd.DataFrame, cudf: Any, tmp_path: Path, partitions: int) -> None:
    def graph(name: str) -> Any:
        names = ["article", "colour"]
        return names >> ops.Categorify(freq_threshold=3, out_path=str(tmp_path / name))

    check(graph, table, cudf, partitions)


def test_numbers(table: pd.DataFrame, cudf: Any) -> None:
    def graph(_: str) -> Any:
        made = ["price"] >> ops.LogOp() >> ops.Normalize() >> ops.Rename(postfix="_log")
        made += ["price"] >> ops.LambdaOp(lambda prices: prices * 2) >> ops.Rename(postfix="_double")
        made += ["age"] >> ops.FillMedian()
        made += ["key", "bought"]
        return made

    check(graph, table, cudf)


def test_statistics_of_groups(table: pd.DataFrame, cudf: Any, tmp_path: Path) -> None:
    def graph(name: str) -> Any:
        joined = ops.JoinGroupby(["price"], stats=["mean"], out_path=str(tmp_path / name))
        return ["article"] >> joined

    check(graph, table, cudf)
