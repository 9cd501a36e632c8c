"""Each thing that Merlin needs on today's stack, against pandas; those that were silently wrong above all."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from hmgpu.core.engine import CHOSEN, Engine
from hmgpu.core.errors import DataError, EngineError, RunError
from hmgpu.parts.models.encode import merlin
from hmgpu.parts.models.encode.merlin import fitting, graphs, versions

import nvtabular as nvt  # isort: skip
from merlin.core import utils  # isort: skip
from nvtabular import ops  # isort: skip

# pytest forgets the filters that importing the patches sets.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*an NVTabular Dataset .* CPU mode"),
    pytest.mark.filterwarnings("ignore:Computing mixed collections"),
]
ROWS = 600
PADDING, NULL, OTHER, FIRST = 0, 1, 2, 3  # NVTabular's codes


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Purchases with nulls in every kind of column, and an index that is not 0, 1, 2, …"""
    random = np.random.default_rng(0)
    sizes = random.integers(1, 5, ROWS)
    frame = pd.DataFrame(
        {
            "article": random.zipf(1.6, ROWS).clip(max=40).astype("int64"),
            "colour": random.choice(["red", "blue", "grey", None], ROWS, p=[0.6, 0.25, 0.1, 0.05]),
            "price": random.lognormal(0.0, 1.0, ROWS),
            "age": np.where(random.random(ROWS) < 0.2, np.nan, random.integers(16, 90, ROWS)),
            "bought": random.random(ROWS) < 0.3,
            "key": np.arange(ROWS),
            "past": [list(map(int, random.integers(0, 9, size))) for size in sizes],
        }
    )
    frame.index = np.arange(ROWS)[::-1] * 2 + 5
    return frame


FIT_AND_SAVE = """
import numpy as np, pandas as pd
from pathlib import Path
from hmgpu.parts.models.encode import merlin
import nvtabular as nvt
from nvtabular import ops
folder = Path(folder)
rows = pd.DataFrame({"a": np.arange(90) % 7, "c": np.arange(90) % 3, "b": np.sqrt(np.arange(90))})
graph = ["a"] >> ops.Categorify(out_path=str(folder / "fit")) >> ops.AddMetadata(tags=["user", "user_id", "target"])
graph += ["b"] >> ops.FillMedian() >> ops.Normalize()
graph += ["c"] >> ops.JoinGroupby(["b"], stats=["mean"], out_path=str(folder / "fit"))
merlin.save(nvt.Workflow(graph).fit(nvt.Dataset(rows, npartitions=3, cpu=True)), folder / "saved")
"""
WITH_A_GPU = """
from dask.distributed.diagnostics import nvml  # as Merlin imports it, which is another module than distributed's own
nvml.device_get_count = lambda: 1
"""
RAPIDS_LOADED = """
import merlin.dataloader.torch
import merlin.core.compat
assert not merlin.core.compat.HAS_GPU
found = {"cudf", "dask_cudf", "cudf_polars", "pylibcudf"} & set(sys.modules)
(folder / "loaded").write_text(str(sorted(found)))
"""


@pytest.fixture(scope="module", autouse=True)
def other_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """A process with other hash seeds, on a machine with a GPU that it has not chosen.

    It is started before the other tests because importing Merlin takes its time.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    program = f"import sys; folder = sys.argv[1]{WITH_A_GPU}{FIT_AND_SAVE}{RAPIDS_LOADED}"
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = os.environ | {"PYTHONHASHSEED": seed, "CUDA_VISIBLE_DEVICES": "0"}
    environment.pop(CHOSEN, None)
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], env=environment) as process:
        yield process, folder
        process.kill()


@pytest.fixture
def elsewhere(other_process: tuple["subprocess.Popen[bytes]", Path]) -> Path:
    process, folder = other_process
    assert process.wait(120) == 0
    return folder


def categorify(folder: Path, **settings: Any) -> Any:
    return ops.Categorify(out_path=str(folder / "codes"), **settings)


def run(graph: Any, table: Any, partitions: int = 4) -> pd.DataFrame:
    rows = table if isinstance(table, nvt.Dataset) else nvt.Dataset(table, npartitions=partitions, cpu=True)
    return nvt.Workflow(graph).fit_transform(rows).to_ddf().compute(scheduler="synchronous").reset_index(drop=True)


def codes(values: pd.Series, least: int = 0) -> list[int]:
    """What Categorify should give: the frequent first, ties by value."""
    counts = values.dropna().value_counts()
    known = sorted((value for value, count in counts.items() if count >= least), key=lambda v: (-counts[v], v))
    code = {value: FIRST + i for i, value in enumerate(known)}
    return [NULL if pd.isna(value) else code.get(value, OTHER) for value in values]


def normalised(values: pd.Series) -> np.ndarray:
    return ((values - values.mean()) / values.std()).to_numpy()


# Versions and the import


@pytest.mark.parametrize("package", sorted(versions.KNOWN))
def test_refuses_a_version_it_does_not_know(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.metadata.version
    monkeypatch.setattr(versions, "version", lambda name: "99.1" if name == package else known(name))
    with pytest.raises(EngineError, match=rf"{package} is 99.1.*{versions.KNOWN[package]}.*make setup"):
        versions.check(versions.KNOWN)


def test_names_the_remedy_where_merlin_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(versions, "version", version)
    with pytest.raises(EngineError, match=r"merlin-core 23.8.0, which is not installed: .*requirements.lock"):
        versions.check(versions.KNOWN)


def test_longer_numbers_are_not_taken_for_patch_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "version", lambda _: "2.31.0")
    with pytest.raises(EngineError):
        versions.check({"pandas": "2.3"})


def test_patches_are_applied_once() -> None:
    before = nvt.Dataset.to_ddf, ops.FillMedian.fit
    merlin._apply()
    assert (nvt.Dataset.to_ddf, ops.FillMedian.fit) == before


def test_on_a_machine_with_a_gpu_that_was_not_chosen_nothing_of_cudf_is_loaded(elsewhere: Path) -> None:
    assert (elsewhere / "loaded").read_text() == "[]"


def test_a_gpu_that_is_chosen_too_late_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        EngineError, match=r"^Merlin was loaded for the CPU before the GPU engine was chosen: start anew"
    ):
        merlin.check_engine(Engine("gpu", "a stand-in"))
    merlin.check_engine(Engine("cpu", "tests"))


def test_dask_is_the_same_for_others(table: pd.DataFrame) -> None:
    frame = dd.from_pandas(table[["article", "price", "colour"]].reset_index(drop=True), npartitions=3)
    assert frame.dtypes["colour"] == "string[pyarrow]"
    sums = frame.groupby("article").price.sum()
    total, five, largest = dask.compute(sums, 5, frame.price.max(), scheduler="synchronous")
    pd.testing.assert_series_equal(total.sort_index(), table.groupby("article").price.sum())
    assert (five, largest) == (5, table.price.max())
    assert dask.delayed(sum)([dask.delayed(1), 2]).compute(scheduler="synchronous") == 3
    assert sorted(frame.sort_values("price").compute(scheduler="synchronous").price) == sorted(table.price)


# Frames and partitions


def test_frames_of_every_kind_are_frozen_with_the_keys_that_merlin_reads(table: pd.DataFrame) -> None:
    rows = table[["article", "price"]].reset_index(drop=True)
    frame = dd.from_pandas(rows, npartitions=4)
    for made in (frame, frame.sort_values("price"), frame.repartition(npartitions=2), frame[frame.price > 1]):
        frozen = graphs.freeze(made)
        assert set(frozen.__dask_keys__()) <= set(dict(frozen.dask))
        assert [name for name, _ in frozen.__dask_keys__()] == [frozen._name] * frozen.npartitions
        pd.testing.assert_frame_equal(
            frozen.compute(scheduler="synchronous"), made.compute(scheduler="synchronous"), check_like=True
        )
        assert graphs.freeze(frozen) is frozen


def test_datasets_of_unlowered_frames_can_be_fitted(table: pd.DataFrame, tmp_path: Path) -> None:
    rows = table[["article", "price"]].reset_index(drop=True)
    source = dd.from_pandas(rows, npartitions=5).sort_values("price").repartition(npartitions=3)
    found = run((["article"] >> categorify(tmp_path)) + ["price"], nvt.Dataset(source, cpu=True))
    expected = rows.sort_values("price")
    assert found.price.tolist() == expected.price.tolist()
    assert found.article.tolist() == codes(expected.article)


@pytest.mark.parametrize("partitions", [1, 4])
def test_nulls_and_lists_keep_to_their_rows_in_every_partition(
    table: pd.DataFrame, tmp_path: Path, partitions: int
) -> None:
    found = run(["colour", "past"] >> categorify(tmp_path), table, partitions)
    assert found.colour.tolist() == codes(table.colour)
    flat = codes(table.past.explode())
    ends = np.cumsum([len(row) for row in table.past])
    assert [row.tolist() for row in found.past] == [list(row) for row in np.split(flat, ends[:-1])]


def test_what_is_transformed_is_not_changed(table: pd.DataFrame, tmp_path: Path) -> None:
    before = table.copy(deep=True)
    graph = (["age"] >> ops.FillMissing(fill_val=-1, add_binary_cols=True)) + (["colour"] >> categorify(tmp_path))
    graph += ["article"] >> ops.JoinExternal(pd.DataFrame({"article": range(50), "size": range(50)}), on=["article"])
    run(graph, table)
    pd.testing.assert_frame_equal(table, before)


# Statistics


def mixed(folder: Path) -> Any:
    """Statistics of every kind in one phase of a fit: expressions, delayed ones, and dicts and tuples of them."""
    graph = ["price"] >> ops.NormalizeMinMax() >> ops.Rename(postfix="_range")
    graph += ["age"] >> ops.FillMedian() >> ops.Rename(postfix="_filled")
    graph += ["price"] >> ops.Normalize() >> ops.Rename(postfix="_normal")
    graph += ["article"] >> categorify(folder)
    graph += ["key"] >> ops.ReduceDtypeSize()
    graph += ["article"] >> ops.JoinGroupby(["price"], stats=["mean", "count"], out_path=str(folder / "groups"))
    graph += ["past"] >> ops.ValueCount()
    graph += ["colour"] >> ops.FillMissing(fill_val="none") >> ops.Rename(postfix="_named")
    return graph


def check_mixed(found: pd.DataFrame, table: pd.DataFrame) -> None:
    table = table.reset_index(drop=True)
    prices, groups = table.price, table.groupby("article").price
    low, high = prices.min(), prices.max()
    np.testing.assert_allclose(found.price_range, (prices - low) / (high - low), rtol=1e-6)
    np.testing.assert_array_equal(found.age_filled, table.age.fillna(table.age.median()))
    np.testing.assert_allclose(found.price_normal, normalised(prices), rtol=1e-5)
    assert found.article.tolist() == codes(table.article)
    assert found.key.dtype == "int16"
    assert found.key.tolist() == table.key.tolist()
    np.testing.assert_allclose(found.article_price_mean, groups.transform("mean"), rtol=1e-5)
    np.testing.assert_array_equal(found.article_count, groups.transform("count"))
    assert found.colour_named.tolist() == table.colour.fillna("none").tolist()


@pytest.mark.parametrize("partitions", [1, 3])
def test_every_operator_gets_its_own_statistics(table: pd.DataFrame, tmp_path: Path, partitions: int) -> None:
    check_mixed(run(mixed(tmp_path), table, partitions), table)


@pytest.fixture
def client() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as connected,
    ):
        yield connected


def test_every_operator_gets_its_own_statistics_on_a_cluster(table: pd.DataFrame, tmp_path: Path, client: Any) -> None:
    workflow = nvt.Workflow(mixed(tmp_path))
    with merlin.through(client):
        rows = nvt.Dataset(table, npartitions=3, cpu=True)
        made = workflow.fit_transform(rows)
        check_mixed(made.to_ddf().compute().reset_index(drop=True), table)


def test_merlin_works_through_no_client_that_it_was_not_lent(client: Any) -> None:
    with client.as_current():
        assert utils.global_dask_client() is None
    with merlin.through(client):
        assert utils.global_dask_client() is client
    assert utils.global_dask_client() is None


def test_dask_still_mixes_up_what_the_patch_keeps_apart() -> None:
    """When this fails, dask has changed and `as_delayed` can go."""
    frame = dd.from_pandas(pd.DataFrame({"a": [1, 2]}), npartitions=1)
    statistics = [frame.a.sum(), dask.delayed("text"), frame.a.max()]
    assert dask.compute(statistics, scheduler="synchronous")[0] != [3, "text", 2]
    apart = [fitting.as_delayed(each) for each in statistics]
    assert dask.compute(apart, scheduler="synchronous")[0] == [3, "text", 2]


def test_layers_of_frames_that_are_gone_take_no_others_place() -> None:
    """dask names such a layer by the id of its frame; two frames that get one id in turn must stay two tables."""
    from dask.delayed import Delayed
    from dask.highlevelgraph import HighLevelGraph

    from hmgpu.parts.models.encode.merlin.fitting import as_delayed

    def statistic(number: int) -> Delayed:
        layers = {
            "the same id": {("table", number): number},
            f"sum-{number}": {f"sum-{number}": (abs, ("table", number))},
        }
        return Delayed(
            f"sum-{number}", HighLevelGraph(layers, {"the same id": set(), f"sum-{number}": {"the same id"}})
        )

    statistics = [as_delayed(statistic(number)) for number in (1, 2)]
    assert dask.compute(*statistics) == (1, 2)


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_the_median_is_exact_however_rows_are_cut(partitions: int) -> None:
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"odd": random.normal(size=101), "even": random.integers(0, 9, 101).astype("float64")})
    rows.loc[[3, 50, 77], "even"] = np.nan
    rows.loc[5, "odd"] = np.nan
    filling = ops.FillMedian()
    run(["odd", "even"] >> filling, rows, partitions)
    assert filling.medians == rows.median().to_dict()


def test_the_median_of_nothing_is_missing() -> None:
    assert np.isnan(fitting._median([pd.Series([], dtype="int64", index=pd.Index([], dtype="float64"))]))


@pytest.mark.parametrize("partitions", [1, 5])
def test_equally_frequent_values_are_numbered_by_their_value(tmp_path: Path, partitions: int) -> None:
    values = np.random.default_rng(2).permutation(np.repeat(np.arange(300), 2))
    rows = pd.DataFrame({"number": values, "text": [f"v{value:03}" for value in values]})
    found = run(["number", "text"] >> categorify(tmp_path), rows, partitions)
    assert found.number.tolist() == (values + FIRST).tolist()
    assert found.text.tolist() == (values + FIRST).tolist()


def test_rare_and_unknown_values_share_a_code(table: pd.DataFrame, tmp_path: Path) -> None:
    rows = nvt.Dataset(table, npartitions=4, cpu=True)
    workflow = nvt.Workflow(["article"] >> categorify(tmp_path, freq_threshold=10)).fit(rows)
    assert workflow.transform(rows).compute().article.tolist() == codes(table.article, least=10)
    assert OTHER in codes(table.article, least=10)
    assert workflow.transform(pd.DataFrame({"article": [10**6, 1]})).article.tolist() == [OTHER, FIRST]


def test_tables_without_a_value_or_a_row_are_encoded(tmp_path: Path) -> None:
    rows = pd.DataFrame({"number": [1.0, 2.0, 2.0, None, None], "text": ["b", "a", "a", None, None]})
    graph = ["number", "text"] >> categorify(tmp_path / "nulls")
    assert run(graph, rows, 3).to_numpy().tolist() == [[4, 4], [3, 3], [3, 3], [1, 1], [1, 1]]
    whole = pd.DataFrame({"number": [1, 2, 2]})
    workflow = nvt.Workflow(["number"] >> categorify(tmp_path / "whole")).fit(nvt.Dataset(whole, cpu=True))
    assert workflow.transform(pd.DataFrame({"number": [2, None, 9]})).number.tolist() == [FIRST, NULL, OTHER]
    assert len(workflow.transform(whole.iloc[:0])) == 0


def test_two_operators_with_one_table_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    def graph(first: str, second: str) -> Any:
        means = ["article"] >> ops.JoinGroupby(["price"], stats=["mean"], out_path=str(tmp_path / first))
        return means + (["article"] >> ops.TargetEncoding("price", kfold=1, out_path=str(tmp_path / second)))

    with pytest.raises(DataError, match=r"cat_stats.article.parquet"):
        run(graph("one", "one"), table)
    workflow = nvt.Workflow(graph("one", "other")).fit(nvt.Dataset(table, cpu=True))
    with pytest.raises(DataError, match=r"cat_stats.article.parquet"):
        merlin.save(workflow, tmp_path / "saved")


# The operators that hmgpu uses


def test_numbers(table: pd.DataFrame) -> None:
    graph = ["price"] >> ops.LogOp() >> ops.Rename(postfix="_log")
    graph += ["price"] >> ops.LambdaOp(lambda prices: prices * 2) >> ops.Rename(postfix="_double")
    found = run(graph, table)
    np.testing.assert_allclose(found.price_log, np.log1p(table.price), rtol=1e-6)
    np.testing.assert_allclose(found.price_double, table.price * 2)


def test_joins_an_external_table(table: pd.DataFrame) -> None:
    external = pd.DataFrame({"article": range(50), "shape": [f"s{i % 3}" for i in range(50)]})
    found = run(["article", "key"] >> ops.JoinExternal(external, on=["article"]), table)
    assert found.key.tolist() == table.key.tolist()
    assert found["shape"].tolist() == [f"s{i % 3}" for i in table.article]


def test_groups_into_lists(table: pd.DataFrame, tmp_path: Path) -> None:
    encoded = (["article"] >> categorify(tmp_path)) + ["colour", "key"]
    graph = encoded >> ops.Groupby(["colour"], sort_cols=["key"], aggs={"article": ["list"], "key": ["count"]})
    rows = table.dropna(subset=["colour"])
    found = run(graph, rows, 1).set_index("colour")
    expected = pd.Series(codes(rows.article), index=rows.index).groupby(rows.colour).agg(list)
    for colour, row in expected.items():
        assert list(found.article_list[colour]) == row


# Saved workflows


def kept(folder: Path) -> Any:
    """All operators that can be saved, with nulls, a type that Merlin finds out by running it, and a median of none."""
    graph = ["colour"] >> categorify(folder, freq_threshold=3) >> ops.AddMetadata(tags=["user"])
    graph += ["age", "none"] >> ops.FillMedian() >> ops.Normalize()
    graph += ["price"] >> ops.LogOp() >> ops.Rename(postfix="_log")
    graph += ["article"] >> ops.JoinGroupby(["price"], stats=["mean"], out_path=str(folder / "groups"))
    return graph + (["key"] >> ops.LambdaOp(lambda key: key.astype("float32") / 2))


def test_a_saved_workflow_may_be_moved(table: pd.DataFrame, tmp_path: Path) -> None:
    table = table.drop(columns="past").assign(none=np.nan)
    workflow = nvt.Workflow(kept(tmp_path / "fitting")).fit(nvt.Dataset(table, npartitions=3, cpu=True))
    expected = workflow.transform(table)
    merlin.save(workflow, tmp_path / "saved")
    shutil.rmtree(tmp_path / "fitting")
    pd.testing.assert_frame_equal(workflow.transform(table), expected)
    shutil.move(tmp_path / "saved", tmp_path / "moved")
    loaded = merlin.load(kept(tmp_path), tmp_path / "moved")
    pd.testing.assert_frame_equal(loaded.transform(table), expected)
    assert loaded.input_schema == workflow.input_schema
    domain = loaded.output_schema["colour"].properties["cat_path"]
    assert domain == str(tmp_path / "moved/categories/unique.colour.parquet")
    for theirs, own in zip(loaded.output_schema, workflow.output_schema, strict=True):
        assert theirs.with_properties({"cat_path": None}) == own.with_properties({"cat_path": None})
    written = [path for path in (tmp_path / "moved").rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".json", ".parquet"}
    assert not [path for path in written if str(tmp_path).encode() in path.read_bytes()]


def test_statistics_that_cannot_be_written_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    workflow = nvt.Workflow(["price"] >> ops.NormalizeMinMax()).fit(nvt.Dataset(table, cpu=True))
    with pytest.raises(DataError, match="statistics of NormalizeMinMax can't be saved"):
        merlin.save(workflow, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "workflow.pkl").write_bytes(b"cos\nabort\n(tR.")  # would end this process
    with pytest.raises(RunError, match=r"holds a pickle, as hmgpu wrote encoders before .*: compute the run again\.$"):
        merlin.load(["price"] >> ops.LogOp(), tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"\x80\x04.", b"[]", b"{}", b'{"inputs": {"price": "float64"}, "operators": [{"operator": "Categorify"}]}'],
)
def test_what_is_not_a_workflow_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "fitted.json").write_bytes(content)
    with pytest.raises(RunError, match=r"^The encoders in .* can't be read \(.*\): compute the run again\.$"):
        merlin.load(["price"] >> ops.LogOp(), tmp_path)


def test_the_same_fit_saves_the_same_bytes(elsewhere: Path, tmp_path: Path) -> None:
    exec(FIT_AND_SAVE, {"folder": str(tmp_path)})
    here, there = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "saved", elsewhere / "saved")
    )
    assert len(here) == 3
    assert here == there
