"""Small worlds that tests share: hand-made histories, and one generated data set."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

# Lines in pipes are wide, unless a test says otherwise; hmgpu.core.console asks when it is loaded.
os.environ.pop("COLUMNS", None)
# Tests start processes by the hundred, and where bytecode isn't kept each would compile all that it loads: 20 seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Two processes of tests share the cores: where idle threads spin, each small fit takes twice the time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import polars as pl
import pytest
from faults.counts import pytest_runtest_logreport, pytest_terminal_summary  # noqa: F401 (hooks)
from hypothesis import settings
from kit import ODD, demo_config, few_parts, small_settings, with_its_runs

from hmgpu import testing
from hmgpu.core.engine import Engine
from hmgpu.core.errors import EngineError
from hmgpu.core.interrupts import STOPS, exit_on_signals
from hmgpu.data.ingest import ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import History, Store
from hmgpu.data.synthetic import synthesize
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.testing import CUTOFF  # noqa: F401 (tests import it from here)

sys.dont_write_bytecode = False
# Whoever starts the tests may ignore them (nohup does, and a script's &), and what they start would do so, too.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("any machine", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking for garbage among a million such objects takes half a second each time."""
    gc.collect()
    gc.freeze()


MakeHistory = Callable[..., History]


@pytest.fixture
def signals_exit() -> Iterator[None]:
    """Signals are the exceptions that the command line makes of them."""
    before = {number: signal.getsignal(number) for number in STOPS}
    exit_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def engine() -> Engine:
    return Engine.choose("cpu")


@pytest.fixture
def config(raw: Path, store: Store, tmp_path: Path) -> Config:
    """Of a line on the generated data set, without models that take seconds to train."""
    return load_config(demo_config(tmp_path), small_settings(raw, store.root, tmp_path / "runs"))


@pytest.fixture
def with_models(raw: Path, store: Store, tmp_path: Path) -> Config:
    """The same with the two towers, made small."""
    return load_config(demo_config(tmp_path, models=True), small_settings(raw, store.root, tmp_path / "runs"))


try:
    GPU: Engine | str = Engine.choose("gpu")  # before any test loads Merlin, which asks once whether one was chosen
except EngineError as error:
    GPU = str(error)


@pytest.fixture(scope="session")
def gpu() -> Engine:
    """The GPU engine; what needs it skips where it can't run."""
    return GPU if isinstance(GPU, Engine) else pytest.skip(GPU)


@pytest.fixture
def make_history() -> MakeHistory:
    """A History from a few purchases; see `hmgpu.testing.make_history`."""
    return testing.make_history


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generated world in the raw layout: about 16,000 rows."""
    folder = tmp_path_factory.mktemp("world") / ODD / "raw"
    folder.parent.mkdir()
    synthesize(folder, 0.0005, 7)
    return folder


@pytest.fixture(scope="session")
def data_settings(raw: Path) -> DataSettings:
    return DataSettings(raw=raw, root=raw.parent / "data")


@pytest.fixture(scope="session")
def store(data_settings: DataSettings) -> Store:
    """The generated world, ingested."""
    ingest(data_settings)
    return Store(data_settings.root)


@pytest.fixture(scope="session")
def finished(raw: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A run of the parts of `kit.few_parts` up to its submission; see `begun`."""
    config = few_parts(raw, store.root, tmp_path_factory.mktemp("finished") / "runs")
    pipeline = open_pipeline(config, Engine.choose("cpu"))
    with pipeline.working():
        pipeline.evaluate()
        pipeline.submit()
    return config


@pytest.fixture
def begun(finished: Config, tmp_path: Path) -> Config:
    """The config of a finished run, in a folder of the test's own."""
    return with_its_runs(finished, tmp_path)


@pytest.fixture(scope="session")
def untranslated() -> Callable[[pl.LazyFrame], list[str]]:
    """What of a plan cuDF can't run; see `hmgpu.testing.untranslated`."""
    pytest.importorskip("cudf_polars.dsl.translate", reason="RAPIDS is not installed here")
    return testing.untranslated
