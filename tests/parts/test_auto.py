"""Settings that wait to be measured: who takes `auto`, what it is written as, and the numbers that it becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.core.errors import ConfigError
from hmgpu.parts.auto import AUTO, Rhythm, _marks
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.part import Part, kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.pipeline.config import Config, WeekSettings, load_config
from hmgpu.pipeline.quotas import Quotas

# About what 1.4 million H&M customers give, and a giftware shop with baskets of 27 that are bought again after a year.
LARGE = Rhythm(14.0, 24, 4.0, 3.2, 280_000.0, 33_000.0, 4)
GIFTS = Rhythm(120.0, 90, 28.0, 27.0, 1_200.0, 900.0, 22)
RHYTHMS = st.builds(
    Rhythm,
    st.floats(0.5, 400),
    st.integers(1, 9_999),
    st.floats(0.5, 400),
    st.floats(1, 500),
    st.floats(0.01, 1e7),
    st.floats(0, 1e6),
    st.integers(1, 52),
)
ADAPTABLE = [
    part for base in (Retriever, Feature, NegativeSampler, Ranker) for part in kinds(base).values() if _marks(part)
] + [WeekSettings, Quotas]


def test_who_takes_auto() -> None:
    names = {part.__name__ for part in ADAPTABLE}
    assert {"Repurchase", "Popular", "PopularBy", "CoPurchase", "Recalled", "Cascade", "XGBoost"} <= names


@pytest.mark.parametrize("part", ADAPTABLE, ids=lambda part: part.__name__)
@given(rhythm=RHYTHMS)
def test_whatever_the_shop_the_numbers_are_legal(part, rhythm: Rhythm) -> None:
    waiting = part.model_validate(dict.fromkeys(_marks(part), AUTO))
    assert waiting.auto == set(_marks(part))
    found = waiting.measured(rhythm)
    assert not [*found.waiting()]
    settings = found.settings() if isinstance(found, Part) else found.model_dump()
    settings.pop("kind", None)
    assert part.model_validate(settings) == found  # raises where a number is out of bounds
    assert waiting.measured(None) == part()


def test_at_h_and_m_s_size_they_are_what_they_were() -> None:
    assert Repurchase.model_validate({"half_life": AUTO, "n": AUTO}).measured(LARGE) == Repurchase(half_life=14, n=24)
    assert Popular.model_validate({"half_life": AUTO, "days": AUTO}).measured(LARGE) == Popular(half_life=4, days=28)
    assert CoPurchase.model_validate({"days": AUTO}).measured(LARGE).days == 42
    assert Recalled.model_validate({"n": AUTO}).measured(LARGE).n == 16
    trees = {"depth": AUTO, "learning_rate": AUTO, "rounds": AUTO, "patience": AUTO}
    same = XGBoost(depth=7, learning_rate=0.1, rounds=250, patience=25)
    assert XGBoost.model_validate(trees).measured(LARGE) == same
    assert Quotas.model_validate({"keep": AUTO}).measured(LARGE).keep == 160


def test_large_baskets_and_slow_repeats_get_room() -> None:
    assert Repurchase.model_validate({"half_life": AUTO, "n": AUTO}).measured(GIFTS) == Repurchase(half_life=120, n=90)
    assert CoPurchase.model_validate({"days": AUTO}).measured(GIFTS).days == 364
    assert Recalled.model_validate({"n": AUTO}).measured(GIFTS).n == 100
    deep = {"kind": "xgboost", "depth": AUTO}
    slow = XGBoost.model_validate({"learning_rate": AUTO, "rounds": AUTO, "patience": AUTO}).measured(GIFTS)
    assert (slow.learning_rate, slow.rounds, slow.patience) == (0.039, 641, 64)
    cascade = Cascade.model_validate({"keep": AUTO, "first": deep, "then": deep})
    assert [*cascade.waiting()] == ["keep", "first.depth", "then.depth"]
    assert cascade.keeps is None
    found = cascade.measured(GIFTS)
    assert (found.keeps, found.first, found.then) == (81, XGBoost(depth=4), XGBoost(depth=4))


def test_what_waits_is_written_as_auto_and_read_again() -> None:
    given_ = ["weeks.train=auto", "retrievers.repurchase.half_life=auto", "ranker.then.depth=auto"]
    config = load_config("base", given_)
    assert {"weeks.train", "retrievers.repurchase.half_life", "ranker.then.depth"} <= {*config.waiting()}
    settings = config.settings()
    assert settings["weeks"]["train"] == settings["retrievers"]["repurchase"]["half_life"] == AUTO
    assert Config.model_validate(settings) == config
    assert load_config("base", ["weeks.train=9"]) != load_config("base", ["weeks.train=auto"])


def test_a_copy_with_a_number_no_longer_waits() -> None:
    waiting = Repurchase.model_validate({"half_life": AUTO, "n": AUTO})
    assert waiting.model_copy().auto == {"half_life", "n"}
    given_ = waiting.model_copy(update={"n": 3})
    assert given_.settings() == waiting.settings() | {"n": 3}
    assert given_.measured(LARGE) == Repurchase(half_life=14, n=3)


@pytest.mark.parametrize("setting", ["retrievers.popular.n=auto", "seed=auto", "ranker.then.l2=auto"])
def test_other_settings_want_a_number(setting: str) -> None:
    with pytest.raises(ConfigError, match=setting.partition("=")[0]):
        load_config("base", [setting])


def test_a_part_without_marks_is_as_ever() -> None:
    assert Part.model_fields == {}
    assert not XGBoost().auto
