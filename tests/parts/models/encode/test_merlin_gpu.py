"""Merlin on cuDF against Merlin on pandas: run where there is a GPU, in the order in which one thing needs another."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.encode import merlin

import nvtabular as nvt  # isort: skip
from merlin.core import dispatch  # isort: skip
from merlin.dataloader.torch import Loader  # isort: skip
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
            "past": [list(map(int, random.integers(0, 9, size))) for size in random.integers(1, 5, ROWS)],
            "words": [[f"w{n}" for n in random.integers(0, 4, size)] for size in random.integers(1, 3, ROWS)],
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


# List columns


@pytest.mark.parametrize(
    "rows", [[[1, 2], [3], [], [4, 5, 6]], [[1, 2], None, [3]], [["a"], ["b", "c"]], [[[1], [2, 3]], [], [[4]]]]
)
def test_lists_are_taken_apart_and_put_together(rows: list[Any], cudf: Any) -> None:
    values, offsets = dispatch.pull_apart_list(cudf.Series(rows))
    lengths = [len(row) if row else 0 for row in rows]
    if isinstance(rows[0][0], list):
        lengths = [sum(len(inner) for inner in row) for row in rows]
    assert offsets.to_arrow().to_pylist() == [0, *np.cumsum(lengths).tolist()]
    if not isinstance(rows[0][0], list):
        assert values.to_arrow().to_pylist() == [value for row in rows for value in row or []]
        made = dispatch.create_multihot_col(offsets, values)
        assert made.to_arrow().to_pylist() == [row or [] for row in rows]


def test_a_slice_of_lists_starts_at_its_first_row(cudf: Any) -> None:
    rows = cudf.Series([[1, 2], [3], [4, 5, 6], [7]]).iloc[1:3]
    values, offsets = dispatch.pull_apart_list(rows)
    assert (values.to_arrow().to_pylist(), offsets.to_arrow().to_pylist()) == ([3, 4, 5, 6], [0, 1, 4])


def test_new_values_keep_the_rows(cudf: Any) -> None:
    rows = cudf.Series([[1, 2], [3], [4, 5, 6]], index=[7, 5, 3])
    made = dispatch.encode_list_column(rows, cudf.Series([9, 8, 7, 6, 5, 4]).values, dtype="int32")
    assert made.to_arrow().to_pylist() == [[9, 8], [7], [6, 5, 4]]
    assert made.index.to_arrow().to_pylist() == [7, 5, 3]
    assert made.dtype.element_type == np.dtype("int32")


# Operators


@pytest.mark.parametrize("partitions", [1, 3])
def test_codes(table: pd.DataFrame, cudf: Any, tmp_path: Path, partitions: int) -> None:
    def graph(name: str) -> Any:
        names = ["article", "colour", "past", "words"]
        return names >> ops.Categorify(freq_threshold=3, out_path=str(tmp_path / name))

    check(graph, table, cudf, partitions)


def test_joint_codes(table: pd.DataFrame, cudf: Any, tmp_path: Path) -> None:
    def graph(name: str) -> Any:
        return [["article", "past"]] >> ops.Categorify(encode_type="joint", out_path=str(tmp_path / name))

    check(graph, table, cudf)


def test_numbers(table: pd.DataFrame, cudf: Any) -> None:
    def graph(_: str) -> Any:
        made = ["price"] >> ops.LogOp() >> ops.Normalize() >> ops.Rename(postfix="_log")
        made += ["price"] >> ops.NormalizeMinMax() >> ops.Rename(postfix="_range")
        made += ["price"] >> ops.LambdaOp(lambda prices: prices * 2) >> ops.Rename(postfix="_double")
        made += ["age"] >> ops.FillMedian(add_binary_cols=True)
        made += ["past"] >> ops.LogOp() >> ops.Rename(postfix="_log")
        made += ["key", "bought"]
        return made

    check(graph, table, cudf)


def test_missing_values(table: pd.DataFrame, cudf: Any) -> None:
    check(lambda _: ["age"] >> ops.FillMissing(fill_val=-1), table, cudf)


def test_statistics_of_groups(table: pd.DataFrame, cudf: Any, tmp_path: Path) -> None:
    def graph(name: str) -> Any:
        joined = ops.JoinGroupby(["price"], stats=["mean", "count", "std", "min"], out_path=str(tmp_path / name))
        encoded = ops.TargetEncoding("price", kfold=1, out_path=str(tmp_path / f"{name}-target"))
        return (["article"] >> joined) + (["article"] >> encoded)

    check(graph, table, cudf)


def test_joins(table: pd.DataFrame, cudf: Any) -> None:
    external = pd.DataFrame({"article": range(70), "size": range(70)})

    def graph(name: str) -> Any:
        other = external if name == "cpu" else cudf.from_pandas(external)
        return ["article", "key"] >> ops.JoinExternal(other, on=["article"])

    check(graph, table, cudf)


def test_groups_into_lists(table: pd.DataFrame, cudf: Any) -> None:
    def graph(_: str) -> Any:
        aggregates = {"key": ["list", "count"], "price": ["mean"]}
        grouped = ["article", "key", "price"] >> ops.Groupby(["article"], sort_cols=["key"], aggs=aggregates)
        return grouped + (grouped["key_list"] >> ops.ListSlice(-3, pad=True) >> ops.Rename(postfix="_last"))

    found = []
    for cpu, source in ((True, table), (False, cudf.from_pandas(table[["article", "key", "price"]]))):
        made = nvt.Workflow(graph("")).fit_transform(nvt.Dataset(source, cpu=cpu)).compute(scheduler="synchronous")
        found.append(host(made).sort_values("article", ignore_index=True))  # cuDF groups in an order of its own
    same(found[1], found[0])


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize(("start", "end"), [(2, None), (-2, None), (1, 3), (-3, -1)])
def test_slices(table: pd.DataFrame, cudf: Any, start: int, end: int | None, pad: bool) -> None:
    check(lambda _: ["past"] >> ops.ListSlice(start, end, pad=pad, pad_value=0), table, cudf)


def test_hashes_stay_in_their_buckets(table: pd.DataFrame, cudf: Any) -> None:
    rows = nvt.Dataset(cudf.from_pandas(table[["article", "key"]]), npartitions=3, cpu=False)
    graph = (["article"] >> ops.HashBucket(8) >> ops.Rename(postfix="_hash")) + ["article"]
    found = host(nvt.Workflow(graph).fit_transform(rows).compute(scheduler="synchronous"))
    assert found.groupby("article").article_hash.nunique().max() == 1
    assert found.article_hash.between(0, 7).all()


# Files, saved workflows, batches


def test_writes_reads_saves_and_loads(table: pd.DataFrame, cudf: Any, tmp_path: Path) -> None:
    def graph(name: str) -> Any:
        codes = ["article", "colour", "past"] >> ops.Categorify(out_path=str(tmp_path / name))
        return codes + (["age"] >> ops.FillMedian() >> ops.Normalize()) + ["bought", "price"]

    on_cpu, on_gpu = check(graph, table, cudf)
    merlin.save(on_gpu, tmp_path / "saved")
    loaded = merlin.load(tmp_path / "saved")
    source = nvt.Dataset(table, npartitions=3, cpu=False)
    expected = on_cpu.transform(table)
    for name, settings in {"many": {}, "one": {"output_files": 1}}.items():
        loaded.transform(source).to_parquet(str(tmp_path / name), **settings)
        for cpu in (False, True):
            rows = nvt.Dataset(str(tmp_path / name), engine="parquet", cpu=cpu)
            same(rows.to_ddf().compute(scheduler="synchronous"), expected)
            assert rows.num_rows == ROWS


def test_batches_lie_on_the_gpu(table: pd.DataFrame, cudf: Any, tmp_path: Path) -> None:
    names = ["article", "price", "bought", "key", "past"]
    nvt.Dataset(table[names], npartitions=4, cpu=True).to_parquet(str(tmp_path / "rows"))

    def epochs(cpu: bool, shuffle: bool) -> list[list[Any]]:
        np.random.seed(5)
        rows = nvt.Dataset(str(tmp_path / "rows"), engine="parquet", cpu=cpu)
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
