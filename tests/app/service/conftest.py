"""A service over hand-made runs, whose lists are known."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import small_run
from fastapi.testclient import TestClient

from hmgpu.app.service.routes import service
from hmgpu.app.service.served import Current
from hmgpu.runs.publish import promote
from hmgpu.runs.seal import seal


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """A sealed run of a name and a shift; see `small_run.make_run`."""

    def made(name: str, shift: int = 0) -> Path:
        run = small_run.make_run(tmp_path / "runs", name=name, shift=shift)
        seal(run)
        return run

    return partial(made)


@pytest.fixture
def current(make_run) -> Current:
    return Current(promote(make_run("2020-09-22-abcdef01")), every=0.02)


@pytest.fixture
def client(current) -> Iterator[TestClient]:
    with TestClient(service(current)) as opened:
        yield opened
