"""Finished runs: one written by hand in a moment, and a real one with everything that can be learned."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import small_run
from kit import ODD, demo_config

from hmgpu.data.store import Store
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    return partial(small_run.make_run, tmp_path / "runs")


@dataclass(frozen=True)
class RealRun:
    """A run of the pipeline."""

    pipeline: Pipeline
    folder: Path


@pytest.fixture(scope="session")
def real_run(raw: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> RealRun:
    """A run with towers, workflows and trees, on a small synthetic data set."""
    folder = tmp_path_factory.mktemp("serving") / ODD
    folder.mkdir()
    little = ["weeks.train=1", "ranker.rounds=5", "engine=cpu", "features.encoded={}", "retrievers.als={n: 5}"]
    places = [f"data.raw={raw}", f"data.root={store.root}", f"runs={folder / 'runs'}"]
    pipeline = open_pipeline(load_config(demo_config(folder, models=True), [*places, *little]), small_run.CPU)
    with pipeline.working():
        pipeline.evaluate()
        pipeline.submit()
    return RealRun(pipeline, pipeline.run.folder)
