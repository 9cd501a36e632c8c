"""LightGBM: what it learns, when it stops, and that loaded models are the same."""

import pytest
from planted import check_saved_and_loaded, check_seed_alone_decides, map_of, on_disk, planted

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.lightgbm import LightGBM
from hmgpu.testing import RankerContract

CPU = Engine("cpu", "tests")
SMALL = LightGBM(rounds=25, patience=10, learning_rate=0.3, leaves=8, least=5)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Examples, Examples]:
    folder = tmp_path_factory.mktemp("weeks")
    training = on_disk(folder, one=planted(150, 1), none=planted(1, 1).clear(), two=planted(100, 4, first=200))
    return training, on_disk(folder, validation=planted(40, 2))


@pytest.mark.parametrize("objective", ["lambdarank", "rank_xendcg", "binary"])
def test_it_learns_the_planted_rule_and_is_the_same_when_loaded(weeks, tmp_path, objective):
    ranker = SMALL.model_copy(update={"objective": objective})
    model, unseen = ranker.fit(*weeks, CPU, 1), planted(60, 3)
    assert map_of(model, unseen, CPU) > 0.85
    check_saved_and_loaded(ranker, model, unseen, tmp_path, CPU)
    assert model.score(unseen.clear()).to_list() == []


def test_the_seed_alone_decides_the_model(weeks, tmp_path):
    check_seed_alone_decides(SMALL, weeks, tmp_path, CPU)


def test_the_best_tree_in_the_validation_week_is_the_last(weeks):
    few = SMALL.model_copy(update={"patience": 2, "rounds": 200}).fit(*weeks, CPU, 1)
    assert few.booster.num_trees() < 100
    assert SMALL.refit(few, weeks[0], CPU, 1).booster.num_trees() == few.booster.num_trees()
    alone = SMALL.fit(weeks[0], Examples(()), CPU, 1)
    assert alone.booster.num_trees() == SMALL.rounds


def test_nothing_bought_is_a_sentence(tmp_path):
    nothing = on_disk(tmp_path, nothing=planted(3, 1).with_columns(label=0))
    with pytest.raises(ConfigError, match="nothing to fit a ranker on"):
        SMALL.fit(nothing, nothing, CPU, 1)


class TestLightGBM(RankerContract):
    part = SMALL
