"""Experiment trackers, through stand-ins for their libraries."""

import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from listening import stand_in

from hmgpu.core import trackers
from hmgpu.core.errors import ConfigError
from hmgpu.core.trackers import Entry, check_tracker, send

KINDS = ("mlflow", "wandb")


@pytest.fixture
def entry(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.ubj").write_bytes(b"trees")
    (tmp_path / "report.html").write_text("a page")
    return Entry(
        name="a-run",
        tags={"verb": "retrain", "outcome": "promoted"},
        settings={"seed": 7, "data": {"columns": {"größe [cm]": "size"}}},
        figures={"week": "2020-09-09", "new": 0.04, "over": {"low": 0.0, "high": float("nan")}},
        curves={"ranker/ndcg@50": [0.1, 0.3, 0.2]},
        files=[model, tmp_path / "report.html", tmp_path / "isn't there"],
        texts={"lists.csv": "customer_id,articles\nü,1 2\n"},
    )


def failing(monkeypatch, fail) -> None:
    played = ModuleType("wandb")
    played.__spec__, played.init = ModuleSpec("wandb", None), fail
    monkeypatch.setitem(sys.modules, "wandb", played)


@pytest.mark.parametrize("kind", KINDS)
def test_a_library_that_is_missing_is_named(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(ConfigError, match=f"tracking is {kind}, which is not installed: pip install {kind}, or set it"):
        check_tracker(kind)


def test_none_needs_none():
    check_tracker("none")
    send("none", lambda: pytest.fail("nobody asked"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_hears_settings_figures_curves_and_files(kind, entry, monkeypatch):
    heard = stand_in(monkeypatch, kind)
    check_tracker(kind)
    send(kind, lambda: entry)
    assert (heard["project"], heard["run"]) == ("hmgpu", "a-run")
    assert heard["tags"] == (dict(entry.tags) if kind == "mlflow" else ["promoted", "retrain"])
    assert heard["settings"] == {"seed": "7", "data.columns.größe _cm_": "size"}
    assert heard["figures"] == {"new": 0.04, "over.low": 0.0}
    assert heard["curves"] == {"ranker/ndcg_50": [0.1, 0.3, 0.2]}
    text = entry.texts["lists.csv"].encode()
    assert heard["files"] == {"model": ["model.ubj"], "report.html": b"a page", "lists.csv": text}
    assert kind == "mlflow" or heard["finished"]


def test_a_tracker_that_never_answers_is_not_waited_for(entry, monkeypatch, caplog):
    done = threading.Event()
    failing(monkeypatch, lambda **_: done.wait(30))
    monkeypatch.setattr(trackers, "PATIENCE", 0.1)
    send("wandb", lambda: entry)
    done.set()
    assert "wandb did not answer within 0.1 s: a-run is not logged there, or not as a whole" in caplog.text


def test_a_tracker_that_fails_undoes_nothing(entry, monkeypatch, caplog):
    def fail(**_):
        raise RuntimeError("no network")

    failing(monkeypatch, fail)
    send("wandb", lambda: entry)
    assert "wandb could not log a-run: no network" in caplog.text


def test_an_entry_that_can_not_be_written_undoes_nothing(monkeypatch, caplog):
    stand_in(monkeypatch, "wandb")

    def fail():
        raise KeyError("week")

    send("wandb", fail)
    assert "wandb is told nothing of this: 'week'" in caplog.text
