"""The engine is chosen once, fails loudly, and writes bytes that don't depend on the order of rows."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from hmgpu.core import engine as module
from hmgpu.core.engine import Engine
from hmgpu.core.errors import EngineError


def test_gpu_fails_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_missing_for_gpu", lambda: "RAPIDS is not installed")
    with pytest.raises(EngineError, match=r"can't run: RAPIDS is not installed\. .* --engine cpu"):
        Engine.choose("gpu")


def test_auto_takes_the_cpu_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_missing_for_gpu", lambda: "RAPIDS is not installed")
    assert Engine.choose("auto") == Engine("cpu", "RAPIDS is not installed")


def test_a_gpu_is_taken_where_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_missing_for_gpu", lambda: None)
    monkeypatch.setattr(module.os, "environ", {})
    assert [Engine.choose(choice).device for choice in ("auto", "gpu", "cpu")] == ["cuda", "cuda", "cpu"]


def test_that_a_gpu_was_chosen_is_known_to_processes_started_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_missing_for_gpu", lambda: None)
    monkeypatch.setattr(module.os, "environ", {})
    Engine.choose("cpu")
    assert not module.gpu_was_chosen()
    Engine.choose("auto")
    assert module.gpu_was_chosen()
    assert list(module.os.environ) == [module.CHOSEN]


class OnTheDevice:
    """In the place of `cudf.DataFrame`."""

    @staticmethod
    def from_arrow(table: Any) -> Any:
        return table


def test_frames_for_xgboost_have_no_nulls(monkeypatch: pytest.MonkeyPatch) -> None:
    """XGBoost 3.2 refuses cuDF's columns with nulls, and a retriever's rank is null where it did not propose."""
    monkeypatch.setitem(sys.modules, "cudf", SimpleNamespace(DataFrame=OnTheDevice))
    table = pl.DataFrame(
        {"rank": [3, None, 1], "price": [0.5, None, None], "new": [True, None, False], "no": [None] * 3}
    )
    frame = Engine("gpu", "a stand-in").columns(table)
    assert {str(column.type) for column in frame.columns} == {"float"}
    assert [column.null_count for column in frame.columns] == [0] * 4
    nan = float("nan")
    found = [frame[name].to_pylist() for name in ("rank", "price", "new", "no")]
    assert np.allclose(found, [[3, nan, 1], [0.5, nan, nan], [1, nan, 0], [nan] * 3], equal_nan=True)
    assert Engine("cpu", "tests").columns(table) is table


def test_the_memory_of_the_device_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = SimpleNamespace(available_device_memory=lambda: (7 * 2**30, 80 * 2**30))
    monkeypatch.setitem(sys.modules, "rmm", SimpleNamespace(mr=asked))
    assert Engine("gpu", "a stand-in").memory_gb == 80
    assert Engine("cpu", "tests").memory_gb == float("inf")


def test_devices_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1, GPU-7")
    assert Engine("gpu", "a stand-in").devices == ["1", "GPU-7"]
    assert Engine("cpu", "tests").devices == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert Engine("gpu", "a stand-in").devices == ["0", "1"]


def test_without_rapids_the_reason_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert "hmgpu[gpu]" in Engine.choose("auto").reason


def test_the_gpu_engine_never_falls_back_to_the_cpu() -> None:
    """A plan that cuDF can't run raises: without a GPU because of that, with one because it does not translate."""
    plan = pl.LazyFrame({"x": [1, 2, 3]}).select(pl.col("x").shuffle(seed=1))
    with pytest.raises(Exception, match=r"(?i)cuda|cudf|gpu|not supported"):
        Engine("gpu", "test").collect(plan)


def test_written_bytes_do_not_depend_on_the_order_of_rows(engine: Engine, tmp_path: Path) -> None:
    rows = pl.DataFrame({"a": [2, 1, 1, None], "b": [0.5, 2.0, 1.0, 3.0]})
    files = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    assert engine.write(rows.lazy(), files[0]) == 4
    engine.write(rows.reverse().lazy(), files[1])
    assert files[0].read_bytes() == files[1].read_bytes()
    assert pl.read_parquet(files[0])["a"].to_list() == [1, 1, 2, None]


def test_each_engine_has_its_own_way() -> None:
    assert [Engine(name, "test").either("a library", "torch") for name in ("cpu", "gpu")] == ["a library", "torch"]


def on_a_stand_in(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that says it is a GPU, whose plans Polars runs in cuDF's place, and whose frames are Arrow tables."""
    in_cudf = SimpleNamespace(execute_with_cudf=lambda tree, started, config: None)
    monkeypatch.setitem(sys.modules, "cudf_polars", in_cudf)
    monkeypatch.setitem(sys.modules, "cudf", SimpleNamespace(DataFrame=OnTheDevice))
    return Engine("gpu", "a stand-in")


def copied_by(gpu: Engine, work: Any) -> tuple[int, int]:
    """The bytes that `work` copies to the device and to the host."""
    before = gpu.copied()
    work()
    after = gpu.copied()
    return tuple(after[way] - before[way] for way in ("to_device_bytes", "to_host_bytes"))


def test_what_a_plan_copies_is_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Columns in memory that it reads, for each scan of them, and its result; not the files that it reads."""
    gpu = on_a_stand_in(monkeypatch)
    table = pl.DataFrame({"k": [1, 2, 3], "v": [0.5, 1.0, 1.5], "unread": ["x", "y", "z"]})
    table.write_parquet(tmp_path / "file.parquet")
    once = table.lazy().select("k", "v").filter(pl.col("v") > 0.5)
    assert copied_by(gpu, lambda: gpu.collect(once)) == (3 * 16, 2 * 16)
    twice = once.join(table.lazy().select("k"), on="k")
    assert copied_by(gpu, lambda: gpu.collect(twice)) == (3 * 16 + 3 * 8, 2 * 16)
    filed = pl.scan_parquet(tmp_path / "file.parquet").select("k")
    assert copied_by(gpu, lambda: gpu.collect(filed)) == (0, 3 * 8)


def test_what_is_handed_over_and_back_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = on_a_stand_in(monkeypatch)
    table = pl.DataFrame({"k": [1, 2, 3], "rank": [3, 1, 2]})
    assert copied_by(gpu, lambda: gpu.frame(table.select("k"))) == (24, 0)
    assert copied_by(gpu, lambda: gpu.columns(table)) == (2 * 3 * 4, 0)  # as float32
    frame = SimpleNamespace(to_arrow=lambda preserve_index: table.select("k").to_arrow())
    assert copied_by(gpu, lambda: gpu.table(frame)) == (0, 24)
    array = SimpleNamespace(nbytes=12, get=lambda: np.zeros(3, np.float32))
    assert copied_by(gpu, lambda: gpu.numpy(array)) == (0, 12)
    assert not Engine("cpu", "tests").copied()


@pytest.mark.gpu
def test_both_engines_give_the_same_bytes(gpu: Engine, tmp_path: Path) -> None:
    plan = pl.LazyFrame({"k": [1, 2, 1], "v": [3, 4, 5]}).group_by("k").agg(pl.col("v").sum())
    gpu.write(plan, tmp_path / "gpu.parquet")
    Engine.choose("cpu").write(plan, tmp_path / "cpu.parquet")
    assert (tmp_path / "gpu.parquet").read_bytes() == (tmp_path / "cpu.parquet").read_bytes()
