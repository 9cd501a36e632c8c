"""The logistic regression: its score by hand, gaps, and that loaded models are the same."""

import json

import numpy as np
import polars as pl
import pytest
from planted import check_saved_and_loaded, map_of, on_disk, planted, saved

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.logistic import FILE, Logistic
from hmgpu.testing import RankerContract

CPU = Engine("cpu", "tests")


def with_gaps(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(noise=pl.when(pl.col("noise") > 0.2).then("noise"), fit=pl.col("price_fit") - 0.5)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Examples, Examples]:
    folder = tmp_path_factory.mktemp("weeks")
    return on_disk(folder, one=with_gaps(planted(200, 1))), on_disk(folder, validation=with_gaps(planted(40, 2)))


def test_it_learns_the_planted_rule_and_is_the_same_when_loaded(weeks, tmp_path):
    model, unseen = Logistic().fit(*weeks, CPU, 1), with_gaps(planted(60, 3))
    assert map_of(model, unseen, CPU) > 0.8
    check_saved_and_loaded(Logistic(), model, unseen, tmp_path, CPU)
    assert saved(Logistic().refit(model, weeks[0], CPU, 1), tmp_path / "refitted") == saved(model, tmp_path / "once")


def test_a_score_by_hand(weeks, tmp_path):
    model, unseen = Logistic().fit(*weeks, CPU, 1), with_gaps(planted(5, 3))
    said = json.loads(saved(model, tmp_path / "model")[FILE])
    total = np.zeros(unseen.height)
    for name, logged, mean, deviation, weight, gap in zip(
        *(said[key] for key in ("features", "logged", "mean", "deviation", "weights", "gaps")), strict=True
    ):
        assert (gap is not None) == (name == "noise")
        assert logged == (name != "fit")
        raw = unseen[name].cast(pl.Float64).to_numpy()
        normal = ((np.log1p(raw) if logged else raw) - mean) / deviation
        total += np.where(np.isnan(raw), gap or 0.0, weight * normal)
    assert model.score(unseen).to_list() == pytest.approx(total, abs=1e-5)


def test_more_penalty_makes_smaller_weights(weeks):
    sizes = [np.abs(Logistic(l2=l2).fit(*weeks, CPU, 1).weights).sum() for l2 in (1.0, 1e4)]
    assert sizes[1] < sizes[0] / 3


def test_where_all_was_bought_all_are_alike(tmp_path):
    all_bought = on_disk(tmp_path, one=planted(2, 1).with_columns(label=pl.lit(1, pl.Int8)))
    assert Logistic().fit(all_bought, all_bought, CPU, 1).score(planted(2, 3)).unique().to_list() == [0.0]


class TestLogistic(RankerContract):
    part = Logistic()
