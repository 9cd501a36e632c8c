"""What trackers are told of a run and of several weeks, through a stand-in for a library."""

import json
from pathlib import Path

import pytest
from listening import stand_in

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.open import open_pipeline, run_name
from hmgpu.pipeline.session import Session
from hmgpu.pipeline.tracking import curves_of, track_folds

CPU = Engine("cpu", "tests")


def test_a_run_tells_its_settings_figures_curve_model_and_some_lists(begun, monkeypatch):
    heard = stand_in(monkeypatch, "mlflow")
    config = begun.model_copy(update={"tracking": "mlflow"})
    session = Session(open_pipeline(config, CPU))
    assert session.run.name == run_name(begun, session.store, CPU)  # tracking decides no result
    evaluation = session.evaluate()
    assert heard["run"] == session.run.name
    assert heard["tags"] == {"verb": "evaluate", "week": str(evaluation.week), "engine": "cpu"}
    assert heard["settings"]["retrievers.popular.n"] == "20"
    assert not any(key.startswith("retrain") for key in heard["settings"])
    metrics, figures = evaluation.metrics, heard["figures"]
    assert figures["map_at_12.ranker"] == metrics["map_at_12"]["ranker"]
    assert figures["map_at_12_interval.ranker.low"] == metrics["map_at_12_interval"]["ranker"][0]
    assert figures["segments.active.map_at_12.ranker"] == metrics["segments"]["active"]["map_at_12"]["ranker"]
    assert figures["retrievers.popular.recall"] == metrics["retrievers"]["popular"]["recall"]
    curve = json.loads((session.run / "model" / "curve.json").read_text())
    assert heard["curves"] == {"ranker/ndcg_50": curve["validation"]}
    assert {*heard["files"]} == {"report.html", "metrics.json", "model", "lists.csv"}
    assert "model.ubj" in heard["files"]["model"]
    header, first, *_ = heard["files"]["lists.csv"].decode().splitlines()
    assert header == "customer_id,articles"
    customer, articles = first.split(",")
    theirs = evaluation.lists.filter(evaluation.lists["customer_id"] == customer)
    assert articles.split(" ") == theirs["article_id"].to_list()


def test_networks_tell_what_each_epoch_achieved(tmp_path):
    for place, name in (("model", "network.json"), ("steps/2020-08-19/train/two_tower", "training.json")):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / name).write_text('{"passes": 2, "curve": [[0.7, 0.1], [0.5, 0.3]]}')
    (tmp_path / "steps/2020-08-19/train/taste").mkdir()
    (tmp_path / "steps/2020-08-19/train/taste/training.json").write_text('{"curve": [[0.9, null]]}')
    assert curves_of(tmp_path) == {
        "ranker/loss": [0.7, 0.5],
        "ranker/score": [0.1, 0.3],
        "2020-08-19/two_tower/loss": [0.7, 0.5],
        "2020-08-19/two_tower/score": [0.1, 0.3],
        "2020-08-19/taste/loss": [0.9],
    }


def test_several_weeks_tell_a_curve_by_week(finished, monkeypatch, tmp_path):
    heard = stand_in(monkeypatch, "wandb")
    weeks = [{"week": f"2020-09-0{day}", "map_at_12": {"ranker": day / 100}} for day in (2, 9)]
    found = {"folds": weeks, "all": {"map_at_12": {"ranker": 0.05}, "map_at_12_interval": {"ranker": [0.04, 0.06]}}}
    for kind in ("json", "html"):
        (tmp_path / f"folds.{kind}").write_text("all of it")
    track_folds(finished.model_copy(update={"tracking": "wandb"}), "backtest", found, tmp_path / "folds.json")
    assert (heard["run"], heard["tags"]) == ("folds", ["2020-09-02 to 2020-09-09", "backtest"])
    assert heard["figures"]["map_at_12_interval.ranker.high"] == 0.06
    assert heard["curves"] == {"weeks/map_at_12/ranker": [0.02, 0.09]}
    assert {*heard["files"]} == {"folds.json", "folds.html"}


def test_a_tracker_that_is_not_installed_is_said_before_anything_is_computed(finished):
    with pytest.raises(ConfigError, match="tracking is mlflow, which is not installed: pip install mlflow"):
        open_pipeline(finished.model_copy(update={"tracking": "mlflow"}), CPU)


def test_where_it_was_in_older_configs_is_said_with_the_remedy(tmp_path):
    file = Path(tmp_path / "old.yaml")
    file.write_text("extends: base\nretrain:\n  keep: 4\n  tracking: mlflow\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    said = "'retrain.tracking': is now the key 'tracking' of the config itself, for all verbs: move it there."
    assert str(caught.value) == f"{file}, line 4: {said}"
    with pytest.raises(ConfigError, match=r"--set retrain\.tracking: 'retrain\.tracking': is now the key 'tracking'"):
        load_config("base", ["retrain.tracking=wandb"])
