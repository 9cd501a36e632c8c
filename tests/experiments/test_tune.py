"""The search for settings: which weeks it uses, that it goes on where it was stopped, and what it reports."""

import json
from pathlib import Path

import pytest
from kit import demo_config
from listening import stand_in

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store

optuna = pytest.importorskip("optuna", reason="optuna is not installed here")
from hmgpu.experiments.tune import tune_trees, tuning_table  # noqa: E402 (needs optuna)

CPU = Engine("cpu", "tests")
FEW = ["weeks.train=1", "features={article_sales: {}, price_fit: {}}", "ranker.rounds=8", "negatives.recalled.n=20"]


@pytest.fixture(scope="module")
def given(
    store: Store, data_settings: DataSettings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("tuning")
    places = [f"data.raw={data_settings.raw}", f"data.root={data_settings.root}", f"runs={folder / 'runs'}"]
    return demo_config(folder), places + FEW


def test_trials_are_scored_on_the_week_before_the_last_and_never_see_it(given, store) -> None:
    scored, file = tune_trees(*given, "ranker", 3, None, CPU)
    written = json.loads(file.read_text())
    last = store.last_complete_week
    assert (written["week"], written["stopped_on"]) == (str(last.back(1)), str(last.back(2)))
    steps = {path.name for path in (file.parent / "steps").iterdir()}
    assert str(last) not in steps
    assert str(last.back(1)) in steps
    assert sorted(each["trial"] for each in scored) == [0, 1, 2]
    assert [each["map_at_12"] for each in scored] == sorted((each["map_at_12"] for each in scored), reverse=True)
    assert next(each["settings"] for each in scored if each["trial"] == 0) == {}
    others = [each["settings"] for each in scored if each["trial"]]
    assert others[0] != others[1]
    assert tuning_table(scored).row_count == 3
    _, fewer = tune_trees(*given, "ranker", 2, None, CPU)  # these were fitted already
    assert json.loads(file.read_text()) == written
    assert (file.name, fewer.name) == ("tuning-ranker-3-trials.json", "tuning-ranker-2-trials.json")


def test_an_earlier_validation_week_moves_the_search_before_it(given, store) -> None:
    """Whoever compares over several weeks names the first of them: no step of the search reaches it."""
    path, settings = given
    first = store.last_complete_week.back(1)
    _, file = tune_trees(path, [*settings, f"weeks.validation={first}"], "ranker", 1, None, CPU)
    assert json.loads(file.read_text())["week"] == str(first.back(1))
    assert str(first) not in {step.name for step in (file.parent / "steps").iterdir()}


def test_the_same_command_fits_nothing_again_and_draws_the_same(given, monkeypatch) -> None:
    scored, file = tune_trees(*given, "ranker", 3, None, CPU)
    path, settings = given
    heard = stand_in(monkeypatch, "mlflow")
    assert tune_trees(path, [*settings, "tracking=mlflow"], "ranker", 3, None, CPU) == (scored, file)
    assert heard["figures"] == {"map_at_12": scored[0]["map_at_12"]}
    (curve,) = heard["curves"].values()
    assert curve == [each["map_at_12"] for each in sorted(scored, key=lambda each: each["trial"])]
    assert {*heard["files"]} == {file.name}
    written = {path: path.stat().st_mtime_ns for path in (file.parent / "steps").rglob("score.json")}
    again, _ = tune_trees(*given, "ranker", 3, None, CPU)
    assert again == scored
    assert written == {path: path.stat().st_mtime_ns for path in (file.parent / "steps").rglob("score.json")}


def test_no_trial_begins_after_the_minutes(given) -> None:
    scored, _ = tune_trees(*given, "ranker", 3, 0.0, CPU)
    assert scored == []


def test_a_place_without_trees_is_refused(given) -> None:
    with pytest.raises(ConfigError, match=r"--at ranker\.then: the config has no ranker xgboost there; in a cascade"):
        tune_trees(*given, "ranker.then", 1, None, CPU)
