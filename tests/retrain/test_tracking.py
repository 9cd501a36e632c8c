"""Experiment tracking, through stand-ins for the libraries, which hmgpu doesn't install."""

import sys
import threading
from contextlib import contextmanager
from types import ModuleType

import pytest
from kit import demo_config

from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.config import load_config
from hmgpu.retrain.record import Record
from hmgpu.retrain.tracking import track, tracker

RECORD = Record(
    "now", outcome="promoted", run="a-run", figures={"week": "2020-09-09", "new": 0.04, "over": {"low": 0.0}}
)


@pytest.fixture
def config(tmp_path):
    return lambda kind: load_config(demo_config(tmp_path), [f"retrain.tracking={kind}", "seed=7"])


@pytest.mark.parametrize("kind", ["mlflow", "wandb"])
def test_a_library_that_is_missing_is_named(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(ConfigError, match=f"pip install {kind}"):
        tracker(kind)


def test_none_needs_none(config):
    assert tracker("none") is None
    track(config("none"), RECORD)


def test_mlflow_hears_settings_and_figures(config, monkeypatch):
    heard = {}

    @contextmanager
    def start_run(run_name, tags):
        heard["run"] = (run_name, tags)
        yield

    played = ModuleType("mlflow")
    played.set_experiment = lambda name: heard.update(experiment=name)
    played.start_run = start_run
    played.log_params = lambda settings: heard.update(settings=settings)
    played.log_metrics = lambda figures: heard.update(figures=figures)
    monkeypatch.setitem(sys.modules, "mlflow", played)
    track(config("mlflow"), RECORD)
    assert (heard["experiment"], heard["run"]) == ("hmgpu", ("a-run", {"outcome": "promoted"}))
    assert heard["figures"] == {"new": 0.04, "over.low": 0.0}
    assert heard["settings"]["seed"] == "7"
    assert heard["settings"]["retrievers.popular.n"] == "40"
    assert not any(key.startswith("retrain.") for key in heard["settings"])


def test_wandb_hears_settings_and_figures(config, monkeypatch):
    heard = {}

    class Run:
        def log(self, figures):
            heard["figures"] = figures

        def finish(self):
            heard["finished"] = True

    played = ModuleType("wandb")
    played.init = lambda **given: heard.update(given) or Run()
    monkeypatch.setitem(sys.modules, "wandb", played)
    track(config("wandb"), RECORD)
    assert (heard["project"], heard["name"], heard["tags"]) == ("hmgpu", "a-run", ["promoted"])
    assert heard["figures"] == {"new": 0.04, "over.low": 0.0}
    assert heard["config"]["seed"] == "7"
    assert heard["finished"]


def test_a_tracker_that_never_answers_is_not_waited_for(config, monkeypatch, caplog):
    done = threading.Event()
    played = ModuleType("wandb")
    played.init = lambda **_: done.wait(30)
    monkeypatch.setitem(sys.modules, "wandb", played)
    monkeypatch.setattr("hmgpu.retrain.tracking.PATIENCE", 0.1)
    track(config("wandb"), RECORD)
    done.set()
    assert "wandb did not answer within 0.1 s" in caplog.text


def test_a_tracker_that_fails_undoes_nothing(config, monkeypatch, caplog):
    def fail(**_):
        raise RuntimeError("no network")

    played = ModuleType("wandb")
    played.init = fail
    monkeypatch.setitem(sys.modules, "wandb", played)
    track(config("wandb"), RECORD)
    assert "wandb could not log the retrain: no network" in caplog.text
