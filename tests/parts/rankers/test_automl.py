"""The ensemble that finds itself: what it is fitted and judged on, its budget, and that it is saved whole."""

import json
import logging
from typing import Any

import polars as pl
import pytest
from planted import check_saved_and_loaded, idle_settings, map_of, on_disk, planted, saved

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.automl import spaces
from hmgpu.parts.part import kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers import automl
from hmgpu.parts.rankers.automl import AutoML
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.logistic import Logistic
from hmgpu.pipeline.config import load_config

CPU = Engine("cpu", "tests")
QUICK = AutoML(
    kinds=("xgboost", "lightgbm", "catboost", "logistic"), fits=6, depth=3, learning_rate=0.3, picks=8, most=3
)


@pytest.fixture(scope="module", autouse=True)
def few_trees():
    """So that a test takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spaces, "TREES", 4)
        yield


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Examples, Examples]:
    """Three training weeks, the last of which has only a part of its candidates outside of its lists."""
    folder = tmp_path_factory.mktemp("weeks")
    last = planted(80, 4, first=300)
    sampled = last.filter((pl.col("label") > 0) | (pl.col("article") % 2 == 0))
    training = on_disk(folder, a=planted(80, 1), b=planted(80, 2, first=100), c=sampled)
    lists = on_disk(folder, whole=last)
    return Examples(training.files, weeks=(1, 1, 1), lists=(lists.files,)), on_disk(folder, v=planted(40, 3, first=500))


@pytest.fixture(scope="module")
def model(weeks):
    return QUICK.fit(*weeks, CPU, 1)


def test_it_finds_the_planted_rule_and_says_what_it_tried(model, weeks, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        again = QUICK.fit(*weeks, CPU, 1)
    assert map_of(model, planted(60, 9), CPU) > 0.9
    assert saved(again, tmp_path / "again") == saved(model, tmp_path / "once")
    record = json.loads((tmp_path / "once" / automl.FILE).read_text())["record"]
    names = [each["name"] for each in record["tried"]]
    assert names == ["xgboost_1", "lightgbm_1", "catboost_1", "logistic_1", "xgboost_2", "lightgbm_2", "order"]
    assert sum(each["weight"] for each in record["tried"]) == pytest.approx(1)
    assert 1 <= sum(each["weight"] > 0 for each in record["tried"]) <= QUICK.most
    order, best = record["tried"][-1], max(each["ndcg_at_50"] for each in record["tried"])
    assert order["weight"] == 0
    assert order["map_at_12"] < 0.5 < record["ensemble"]["map_at_12"]
    assert record["ensemble"]["ndcg_at_50"] >= best
    assert record["customers"] == 80 - lists_without_purchase(weeks)
    assert "fit 6 of 6, lightgbm_2: NDCG@50 " in caplog.text
    assert "automl: 7 models judged on " in caplog.text


def lists_without_purchase(weeks: tuple[Examples, Examples]) -> int:
    table = pl.concat(weeks[0].last_lists().tables())
    return table.group_by("customer").agg(pl.col("label").max()).filter(pl.col("label") == 0).height


def test_a_loaded_model_gives_the_same_scores_and_bytes(model, tmp_path):
    check_saved_and_loaded(QUICK, model, planted(30, 3), tmp_path, CPU)
    names = [file.name for file in (tmp_path / "model").rglob("*")]
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]


class Spy(Logistic):
    """Records which customers it is fitted on."""

    def fit(self, training: Examples, validation: Examples, engine: Any, seed: int, client: Any = None) -> Any:
        SEEN.append(sorted(pl.concat(training.tables())["customer"].unique()))
        return super().fit(training, validation, engine, seed, client)


SEEN: list[list[int]] = []


def test_models_are_judged_on_a_later_week_and_members_fitted_again_on_all(weeks, monkeypatch):
    SEEN.clear()
    monkeypatch.setattr("hmgpu.parts.part.kinds", lambda base: {**kinds(base), "logistic": Spy})
    judged = list[pl.DataFrame]()
    score = automl.Lists.of
    monkeypatch.setattr(automl.Lists, "of", lambda tables: score([judged.append(each) or each for each in tables]))
    AutoML(kinds=("logistic",), fits=2, order=False).fit(*weeks, CPU, 1)
    earlier = [*range(80), *range(100, 180)]
    assert SEEN[:2] == [earlier, earlier]
    assert SEEN[2:] == [[*earlier, *range(300, 380)]]
    lists = pl.concat(judged)
    assert set(lists["customer"]) <= {*range(300, 380)}
    assert set(lists.group_by("customer").len()["len"]) == {20}  # whole lists, not a sample


def test_two_judged_weeks_are_kept_apart(weeks):
    training, validation = weeks
    two = Examples(training.files, weeks=training.weeks, lists=((training.files[1],), *training.lists))
    model = AutoML(kinds=("logistic",), fits=1, weeks=2).fit(two, validation, CPU, 1)
    assert model.record["customers"] > 100
    with pytest.raises(ConfigError, match=r"judges on the last 3 training weeks; set weeks\.train to 4 or more"):
        AutoML(kinds=("logistic",), fits=1, weeks=3).fit(two, validation, CPU, 1)
    with pytest.raises(ConfigError, match=r"set weeks\.train to 3 or more"):
        load_config("base", {"ranker": AutoML(weeks=2), "weeks.train": 2, "data.raw": "raw"})


def test_with_too_few_lists_all_kinds_count_alike(weeks, tmp_path):
    training, validation = weeks
    few = on_disk(tmp_path, few=planted(10, 4, first=300))
    training = Examples(training.files, weeks=(1, 1, 1), lists=(few.files,))
    for kinds_of, fits in ((("logistic",), 2), (("logistic", "xgboost"), 1)):
        model = AutoML(kinds=kinds_of, fits=fits).fit(training, validation, CPU, 1)
        assert dict(model.blend.weights) == {"logistic_1": 0.5, "order": 0.5}


def test_it_is_fitted_again_with_the_members_that_it_has(model, weeks):
    again = QUICK.refit(model, weeks[0], CPU, 1)
    assert again.blend.weights == model.blend.weights
    assert again.record == model.record
    assert map_of(again, planted(60, 9), CPU) > 0.9
    assert AutoML().never_refitted == set()


def test_a_kind_whose_package_is_missing_is_left_out_with_a_line(weeks, monkeypatch, caplog, tmp_path):
    monkeypatch.setattr(automl, "missing", lambda packages: sorted({"catboost"} & {*packages}))
    model = AutoML(kinds=("catboost", "logistic"), fits=2).fit(*weeks, CPU, 1)
    assert "automl: catboost is left out: it needs catboost; pip install 'hmgpu[automl]'" in caplog.text
    assert [each["name"] for each in model.record["tried"]] == ["logistic_1", "logistic_2", "order"]
    assert list(model.record["left_out"]) == ["catboost"]
    with pytest.raises(ConfigError, match=r"ranker\.kinds: none of them is installed: it needs catboost"):
        AutoML(kinds=("catboost",)).fit(*weeks, CPU, 1)


def test_it_may_be_the_second_of_a_cascade(weeks):
    quick = AutoML(kinds=("logistic",), fits=1)
    cascade = Cascade(first=Logistic(), keep=12, then=quick)
    assert (cascade.needs_lists, cascade.most_lists) == (1, quick.judged)
    model = cascade.fit(*weeks, CPU, 1)
    assert model.then.record["customers"] == 80 - lists_without_purchase(weeks)
    assert map_of(model, planted(30, 3), CPU) > 0.7


def test_every_searched_setting_is_one_of_its_kind():
    class Low:
        def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
            return low

        def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
            return high

        def suggest_categorical(self, name: str, choices: list[Any]) -> Any:
            return choices[-1]

    assert set(spaces.SPACES) == set(AutoML().kinds)
    for kind, space in spaces.SPACES.items():
        assert kinds(Ranker)[kind].model_validate(space(Low()))


OTHERS: dict[str, Any] = {
    "kinds": ("logistic",),
    "fits": 1,
    "depth": 1,
    "learning_rate": 0.02,
    "weeks": 2,
    "fitted": 20,
    "judged": 10,
    "order": False,
    "picks": 1,
    "most": 1,
    "smooth": 0.0,
}


def test_every_setting_counts(tmp_path):
    """Bought is what noise says, too, so that no model is right alone."""

    def noisy(customers: int, seed: int, first: int) -> pl.DataFrame:
        rule = (pl.col("price_fit") + 1 - pl.col("popular_rank") / 20 + 1.5 * pl.col("noise")) > 2.6
        return planted(customers, seed, first).with_columns(label=rule.cast(pl.Int8)).drop("noise")

    tables = {name: noisy(60, seed, 200 * seed) for seed, name in enumerate("abc")}
    files = on_disk(tmp_path, **tables).files
    training = Examples(files, weeks=(1, 1, 1), lists=((files[1],), (files[2],)))
    validation = on_disk(tmp_path, v=noisy(40, 7, 900))
    ranker, unseen = AutoML(kinds=("logistic", "xgboost"), fits=3, learning_rate=0.3, picks=9), noisy(40, 9, 0)
    assert set(OTHERS) == set(AutoML.model_fields)
    assert idle_settings(ranker, OTHERS, (training, validation), unseen, CPU) == []
