"""The data that benchmarks work on: small synthetic data, with a few parts; and a GPU that is only pretended."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from hmgpu.benchmark.rivals.sparse_copurchase import Libraries
from hmgpu.benchmark.subject import Subject
from hmgpu.core.engine import Engine
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.pipeline.config import Config

CPU = Engine("cpu", "tests")


@pytest.fixture(scope="session")
def make_subject(store, data_settings) -> Callable[..., Subject]:
    """Return a call that builds a Subject whose config has the given sections."""

    def make(**sections: Any) -> Subject:
        few = {"retrievers": {"popular": Popular()}, "features": {}, "ranker": Order(), "runs": store.root.parent}
        return Subject(store, Config(data=data_settings, **few | sections), "a test's data")

    return make


@pytest.fixture
def pretended_gpu(monkeypatch, untranslated) -> Engine:
    """An engine named gpu that runs on the CPU, and refuses plans that cuDF could not run."""
    collect, libraries = Engine.collect, Libraries.of

    def checked(engine: Engine, plan: pl.LazyFrame, fits: bool = False) -> pl.DataFrame:
        if engine.name == "gpu":
            assert untranslated(plan) == []
        return collect(CPU, plan, fits)

    monkeypatch.setattr(Engine, "collect", checked)
    monkeypatch.setattr(Engine, "table", lambda engine, frame: pl.from_pandas(frame))
    monkeypatch.setattr(Engine, "columns", lambda engine, table: table)
    monkeypatch.setattr(Engine, "numpy", lambda engine, array: array)
    monkeypatch.setattr(Engine, "device", "cpu")
    monkeypatch.setattr(Engine, "memory_gb", 8.0)
    monkeypatch.setattr(Libraries, "of", staticmethod(lambda engine: libraries(CPU)))
    return Engine("gpu", "pretended")
