"""Two rankers in a row: which candidates are kept, which get no score, and what each ranker sees."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest
from kit import CONFIGS
from planted import SMALL, map_of, on_disk, planted

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.pipeline.config import load_config

EARLY = ("customer", "article", "popular_rank", "price_fit")
CASCADE = Cascade(first=SMALL, keep=12, then=SMALL)


@pytest.fixture
def training(tmp_path: Path) -> Examples:
    Examples.write(tmp_path / "training.parquet", planted(150, 1), EARLY)
    return Examples((tmp_path / "training.parquet",))


@pytest.fixture
def validation(tmp_path: Path) -> Examples:
    Examples.write(tmp_path / "validation.parquet", planted(60, 2), EARLY)
    return Examples((tmp_path / "validation.parquet",))


def test_the_first_ranker_needs_only_early_columns(training, validation, engine):
    model = CASCADE.fit(training, validation, engine, 1)
    unseen = planted(50, 3)
    kept = model.promising(unseen.select(EARLY))
    assert kept.columns == list(EARLY)
    # Only half of the rule can be seen early: the price must fit, as 40 % do. Other candidates fill the list.
    kept_rows = unseen.join(kept, on=["customer", "article"], how="semi")
    left_out = unseen.join(kept, on=["customer", "article"], how="anti")
    assert kept_rows.group_by("customer").len()["len"].unique().to_list() == [12]
    assert kept_rows["price_fit"].mean() > 0.6 > 0.4 > left_out["price_fit"].mean()


def test_ties_break_on_the_article(training, validation, engine):
    nothing_known = planted(30, 3).with_columns(price_fit=pl.lit(None, pl.Float32), popular_rank=pl.lit(None, pl.Int32))
    kept = CASCADE.fit(training, validation, engine, 1).promising(nothing_known)
    assert kept["article"].to_list() == [*range(12)] * 30


def test_what_goes_on_gets_the_scores_of_the_second_ranker_and_the_others_none(training, validation, engine):
    model = CASCADE.fit(training, validation, engine, 1)
    alone = SMALL.fit(training, validation, engine, 1)
    unseen = planted(50, 3)
    scores, kept = model.score(unseen), model.promising(unseen)
    assert scores.dtype == pl.Float32
    assert scores.is_not_null().sum() == kept.height
    on = unseen.filter(scores.is_not_null())
    assert on.equals(kept)
    assert alone.score(on).equals(scores.drop_nulls())
    # Serving describes and scores only promising candidates, with the same result.
    assert model.score(kept).equals(scores.drop_nulls())
    assert model.score_promising(kept).equals(scores.drop_nulls())


def test_with_room_for_all_it_is_the_second_ranker(training, validation, engine):
    roomy = Cascade(first=SMALL, keep=1000, then=SMALL).fit(training, validation, engine, 1)
    unseen = planted(20, 3)
    assert roomy.score(unseen).equals(SMALL.fit(training, validation, engine, 1).score(unseen))
    assert roomy.promising(unseen).equals(unseen)


def test_it_is_nearly_as_good_as_the_second_ranker_alone(training, validation, engine):
    unseen = planted(100, 3)
    assert map_of(CASCADE.fit(training, validation, engine, 1), unseen, engine) > 0.85


def test_a_loaded_model_gives_the_same_scores(training, validation, engine, tmp_path):
    model, unseen = CASCADE.fit(training, validation, engine, 1), planted(20, 3)
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    assert CASCADE.load(tmp_path / "model", engine).score(unseen).equals(model.score(unseen))


def test_all_that_decides_a_score_is_in_the_files(training, validation, engine, tmp_path):
    """Otherwise a run could reuse lists of another `keep`."""
    few, more = (CASCADE.model_copy(update={"keep": n}).fit(training, validation, engine, 1) for n in (12, 13))
    (tmp_path / "few").mkdir()
    few.save(tmp_path / "few")
    unseen = planted(20, 3)
    assert Cascade().load(tmp_path / "few", engine).promising(unseen).equals(few.promising(unseen))
    assert more.promising(unseen).height == few.promising(unseen).height + 20


def test_any_ranker_may_go_first_and_what_it_scores_null_goes_no_further(engine, tmp_path):
    table = planted(60, 1).with_columns(popular_rank=pl.when(pl.col("popular_rank") <= 15).then("popular_rank"))
    examples = on_disk(tmp_path, ordered=table)
    model = Cascade(first=Order(), keep=12, then=SMALL).fit(examples, examples, engine, 1)
    assert model.promising(table)["popular_rank"].max() == 12
    roomy = dataclasses.replace(model, keep=18)
    assert roomy.promising(table)["popular_rank"].null_count() == 0
    assert (roomy.score(table).is_null() == table["popular_rank"].is_null()).all()


def test_no_candidates_no_scores(training, validation, engine):
    model = CASCADE.fit(training, validation, engine, 1)
    assert model.score(planted(1, 3).clear()).to_list() == []
    assert model.promising(planted(1, 3).clear()).is_empty()


def test_a_config_names_both_rankers_and_says_what_is_wrong_within(tmp_path):
    base = CONFIGS / "base.yaml"
    ours = ["ranker={kind: cascade, keep: 20, first: {kind: order}, then: {kind: xgboost, rounds: 5}}"]
    ranker = load_config(base, ours).ranker
    assert ranker == Cascade(first=Order(), keep=20, then=XGBoost(rounds=5))
    assert ranker.settings()["then"] == {"kind": "xgboost"} | XGBoost(rounds=5).model_dump(mode="json")
    with pytest.raises(ConfigError, match=r"unknown key 'ranker\.then\.round'; did you mean 'rounds'"):
        load_config(base, [*ours, "ranker.then.round=7"])
    with pytest.raises(
        ConfigError, match=r"'ranker': early names the unknown feature family 'colours'; this config has "
    ):
        load_config(base, [*ours, "ranker.early=[colours]"])
    with pytest.raises(ConfigError, match=r"ranker\.first\.kind.*'nope' is not a kind of ranker"):
        load_config(base, [*ours, "ranker.first.kind=nope"])
