"""Gradient-boosted trees: what they learn, when they stop, and that loaded models are the same."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from planted import PER_CUSTOMER, SMALL, map_of, on_disk, planted

from hmgpu.core.errors import ConfigError
from hmgpu.core.metrics import map_at
from hmgpu.core.plans import ranked
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import CURVE_FILE, FEATURES, IMPORTANCES, MODEL

OBJECTIVES = ("rank:ndcg", "rank:map", "rank:pairwise", "binary:logistic")


def saved(model, folder: Path) -> bytes:
    folder.mkdir()
    model.save(folder)
    return (folder / MODEL).read_bytes()


@pytest.fixture
def training(tmp_path: Path) -> Examples:
    return on_disk(tmp_path, train=planted(150, 1))


@pytest.fixture
def validation(tmp_path: Path) -> Examples:
    return on_disk(tmp_path, validation=planted(60, 2))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_learns_what_the_order_of_retrievers_does_not_know(training, validation, engine, objective):
    unseen = planted(100, 3)
    ranker = SMALL.model_copy(update={"objective": objective})
    learned = map_of(ranker.fit(training, validation, engine, 1), unseen, engine)
    order = map_of(Order().fit(training, validation, engine, 1), unseen, engine)
    # The rule has no noise, so a model that found it is nearly perfect.
    assert learned > 0.9
    assert order < 0.5


@pytest.mark.parametrize("objective", ["rank:ndcg", "binary:logistic"])
def test_a_loaded_model_gives_the_same_scores(training, validation, engine, tmp_path, objective):
    ranker = SMALL.model_copy(update={"objective": objective})
    model, unseen = ranker.fit(training, validation, engine, 1), planted(30, 3)
    saved(model, tmp_path / "model")
    scores = ranker.load(tmp_path / "model", engine).score(unseen)
    assert scores.dtype == pl.Float32
    assert scores.equals(model.score(unseen))
    assert scores.n_unique() > 2


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(training, validation, engine, tmp_path):
    ranker = SMALL.model_copy(update={"rows": 0.7, "columns": 0.7})
    once, again, other = (
        saved(ranker.fit(training, validation, engine, seed), tmp_path / name)
        for name, seed in (("once", 5), ("again", 5), ("other", 6))
    )
    assert once == again
    assert once != other


def test_how_examples_are_cut_into_files_decides_nothing(validation, engine, tmp_path):
    table = planted(150, 1)
    whole = on_disk(tmp_path, whole=table)
    cut = on_disk(tmp_path, a=table[: 40 * PER_CUSTOMER], none=table.clear(), b=table[40 * PER_CUSTOMER :])
    models = [SMALL.fit(examples, validation, engine, 1) for examples in (whole, cut)]
    assert saved(models[0], tmp_path / "one") == saved(models[1], tmp_path / "three")


def test_the_weeks_of_one_customer_are_queries_of_their_own(validation, engine, tmp_path):
    # Three customers: the last of one week is the first of the next. Renaming that one to 99 in the second week changes
    # nothing, because a query is a customer in a week.
    one, two = planted(2, 1), planted(2, 2, first=1)
    renamed = two.with_columns(customer=pl.when(pl.col("customer") == 1).then(99).otherwise(100 + pl.col("customer")))
    renamed = renamed.cast({"customer": pl.Int32})
    same = on_disk(tmp_path, one=one, two=two)
    other = on_disk(tmp_path, three=one, four=renamed)
    ranker = SMALL.model_copy(update={"min_child_weight": 0.0, "l2": 0.1})
    models = [saved(ranker.fit(e, validation, engine, 1), tmp_path / name) for name, e in (("x", same), ("y", other))]
    assert models[0] == models[1]
    # The test would notice: one long query of all weeks gives another model.
    mixed = on_disk(tmp_path, mixed=pl.concat([one, two]).with_columns(customer=pl.lit(1, pl.Int32)))
    assert saved(ranker.fit(mixed, validation, engine, 1), tmp_path / "z") != models[0]


def test_it_stops_when_validation_gets_no_better(training, engine, tmp_path):
    # In the validation week labels are the opposite, so the first tree is the best.
    opposite = planted(60, 2).with_columns(label=(1 - pl.col("label")).cast(pl.Int8))
    stopped = SMALL.model_copy(update={"rounds": 200, "patience": 3}).fit(
        training, on_disk(tmp_path, opposite=opposite), engine, 1
    )
    assert stopped.booster.num_boosted_rounds() < 20


def test_it_keeps_the_best_trees_not_the_last(training, validation, engine):
    unseen = planted(60, 2)
    full = SMALL.model_copy(update={"rounds": 40, "patience": 40}).fit(training, validation, engine, 1)
    kept = full.booster.num_boosted_rounds()
    fewer = [SMALL.model_copy(update={"rounds": n}).fit(training, validation, engine, 1) for n in (1, 3, 10)]
    best = map_of(full, unseen, engine)
    assert 1 <= kept <= 40
    assert all(map_of(model, unseen, engine) <= best + 1e-6 for model in fewer)


def test_missing_values_are_not_numbers(engine, tmp_path):
    # A candidate is bought if the column is missing; zero and one are known values.
    rows = 200 * PER_CUSTOMER
    unknown = np.random.default_rng(1).random(rows) < 0.2
    value = pl.Series(np.random.default_rng(2).integers(0, 2, rows)).set(pl.Series(unknown), None)
    table = planted(200, 1).with_columns(known=value, label=pl.Series(unknown).cast(pl.Int8), nothing=pl.lit(None))
    examples = on_disk(tmp_path, all=table)
    assert map_of(SMALL.fit(examples, examples, engine, 1), table, engine) > 0.99


def test_scoring_needs_every_feature_and_takes_them_by_name(training, validation, engine):
    model, unseen = SMALL.fit(training, validation, engine, 1), planted(20, 3)
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="recency"):
        model.score(unseen.drop("recency"))
    shuffled = unseen.select(*reversed(unseen.columns), spare=pl.lit(1))
    assert model.score(shuffled).equals(model.score(unseen))


def test_no_candidates_no_scores(training, validation, engine):
    assert SMALL.fit(training, validation, engine, 1).score(planted(1, 3).clear()).to_list() == []


def test_what_is_learned_is_written_next_to_the_model(training, validation, engine, tmp_path):
    saved(SMALL.fit(training, validation, engine, 1), tmp_path / "model")
    expected = ["popular_score", "popular_rank", "price_fit", "recency", "noise"]
    assert json.loads((tmp_path / "model" / FEATURES).read_text()) == expected
    gains = json.loads((tmp_path / "model" / IMPORTANCES).read_text())
    assert set(list(gains)[:2]) == {"price_fit", "recency"}
    assert list(gains.values()) == sorted(gains.values(), reverse=True)


def test_the_curve_has_a_value_for_every_tree_that_was_grown(training, validation, engine, tmp_path):
    ranker = SMALL.model_copy(update={"rounds": 200, "patience": 3})
    model = ranker.fit(training, validation, engine, 1)
    saved(model, tmp_path / "model")
    curve = json.loads((tmp_path / "model" / CURVE_FILE).read_text())
    best = curve["validation"].index(max(curve["validation"])) + 1
    assert curve["metric"] == "ndcg@50"
    assert curve["kept"] == best == model.booster.num_boosted_rounds()
    assert len(curve["validation"]) == best + 3
    saved(ranker.load(tmp_path / "model", engine), tmp_path / "again")
    assert json.loads((tmp_path / "again" / CURVE_FILE).read_text()) == curve


def test_without_validation_there_is_no_curve(training, engine, tmp_path):
    nobody = on_disk(tmp_path, nobody=planted(60, 2).with_columns(label=pl.lit(0, pl.Int8)))
    saved(SMALL.fit(training, nobody, engine, 1), tmp_path / "model")
    assert json.loads((tmp_path / "model" / CURVE_FILE).read_text())["validation"] == []


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_fitted_again_it_grows_as_many_trees_and_learns_of_the_weeks_that_it_is_given(engine, tmp_path, objective):
    """In the first week price_fit and recency decide, in the next `noise` does."""
    other = planted(150, 4, 500).with_columns(label=(pl.col("noise") > 0.9).cast(pl.Int8))
    first, both = on_disk(tmp_path, a=planted(150, 1)), on_disk(tmp_path, b=planted(30, 1), c=other)
    ranker = SMALL.model_copy(update={"patience": 3, "objective": objective})
    model = ranker.fit(first, on_disk(tmp_path, v=planted(60, 2)), engine, 1)
    again = ranker.refit(model, both, engine, 1)
    assert again.booster.num_boosted_rounds() == model.booster.num_boosted_rounds()
    unseen = planted(60, 5).with_columns(label=(pl.col("noise") > 0.9).cast(pl.Int8))
    assert map_of(again, unseen, engine) > 0.5 > map_of(model, unseen, engine)
    saved(again, tmp_path / "again")
    assert json.loads((tmp_path / "again" / CURVE_FILE).read_text())["validation"] == []


def test_a_sample_of_the_validation_customers_may_decide_when_to_stop(training, validation, engine):
    chosen = [
        SMALL.model_copy(update={"watched": n})._watched(validation, seed) for n in (5, 20, None) for seed in (1, 2)
    ]
    everybody = validation.customers_with_purchases()
    assert [table.height for table in chosen] == [5, 5, 20, 20, everybody.height, everybody.height]
    assert set(chosen[0]["customer"]) <= set(chosen[2]["customer"]) <= set(everybody["customer"])
    assert set(chosen[2]["customer"]) != set(chosen[3]["customer"])
    few = SMALL.model_copy(update={"watched": 5}).fit(training, validation, engine, 1)
    assert map_of(few, planted(50, 3), engine) > 0.8


# --- from what a candidate is worth -----------------------------------------------------------------------------------


def worthy(customers: int, seed: int) -> pl.DataFrame:
    """Return planted candidates with a worth: more if bought, none for every tenth, which no retriever proposed."""
    table = planted(customers, seed)
    draw = np.random.default_rng(seed)
    worth = (2.0**26 * (1 + table["label"].to_numpy()) * draw.uniform(0.3, 1, table.height)).astype(np.int64)
    known = pl.when(pl.col("article") % 10 > 0)
    return table.with_columns(
        worth=known.then(pl.Series(worth)), best_rank=known.then(PER_CUSTOMER - pl.col("article"))
    )


FROM_WORTH, FROM_NOTHING = (SMALL.model_copy(update={"from_worth": start}) for start in (True, False))


def test_trees_that_learned_nothing_leave_the_order_of_worth(engine, tmp_path):
    training, validation = on_disk(tmp_path, t=worthy(20, 1)), on_disk(tmp_path, v=worthy(20, 2))
    still = FROM_WORTH.model_copy(update={"rounds": 1, "min_child_weight": 1e9})
    unseen = worthy(30, 3)
    scores = still.fit(training, validation, engine, 1).score(unseen)
    ordered = unseen.with_columns(score=scores).sort("customer", "score", "article", descending=[False, True, False])
    by_worth = unseen.sort("customer", "worth", "article", descending=[False, True, False], nulls_last=True)
    assert ordered.select("customer", "article").equals(by_worth.select("customer", "article"))


def test_candidates_of_one_worth_are_in_the_order_of_their_ranks(engine, tmp_path):
    """Retrievers' later ranks often have one rate; of what no retriever proposed, the smallest article is first."""
    worth = pl.when(pl.col("worth").is_not_null()).then(pl.lit(3_000_000, pl.Int64))
    alike = [worthy(20, seed).with_columns(worth=worth) for seed in (1, 2, 3)]
    training, validation = on_disk(tmp_path, t=alike[0]), on_disk(tmp_path, v=alike[1])
    still = FROM_WORTH.model_copy(update={"rounds": 1, "min_child_weight": 1e9})
    scores = still.fit(training, validation, engine, 1).score(alike[2])
    ordered = alike[2].with_columns(score=scores).sort("customer", "score", "article", descending=[False, True, False])
    by_rank = alike[2].sort("customer", "best_rank", "article", nulls_last=True)
    assert ordered["article"].to_list() == by_rank["article"].to_list()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_scores_are_what_the_trees_add_to_the_logarithm_of_worth(engine, tmp_path, objective):
    training, validation = on_disk(tmp_path, t=worthy(100, 1)), on_disk(tmp_path, v=worthy(40, 2))
    ranker = FROM_WORTH.model_copy(update={"objective": objective})
    model, unseen = ranker.fit(training, validation, engine, 1), worthy(30, 3)
    scores = model.score(unseen)
    assert scores.dtype == pl.Float32
    start = (unseen["worth"].fill_null(1) / 2**30).log() - unseen["best_rank"].fill_null(10_000) / 2**18
    trees = model.booster.inplace_predict(unseen.select(model.features), predict_type="margin")
    base = scores.to_numpy() - start.to_numpy() - trees
    assert base == pytest.approx(np.full(len(base), base[0]), abs=1e-4)  # XGBoost's own start, the same for all rows
    saved(model, tmp_path / "model")
    assert ranker.load(tmp_path / "model", engine).score(unseen).equals(scores)
    # The worth is a column like others, too, and trees know more than it does.
    assert "worth" in model.features
    by_worth = unseen.lazy().select("customer", "article", score="worth")
    bought = unseen.filter(pl.col("label") == 1).select("customer", "article")
    assert map_of(model, unseen, engine) > map_at(engine.collect(ranked(by_worth, by="customer")), bought)


def test_few_examples_make_the_lists_no_worse_than_worth(engine, tmp_path):
    training, validation = on_disk(tmp_path, t=worthy(3, 1)), on_disk(tmp_path, v=worthy(3, 2))
    unseen = worthy(100, 3).with_columns(pl.lit(0.0, pl.Float32).alias(name) for name in ("price_fit", "recency"))
    without, started = (
        map_of(each.fit(training, validation, engine, 1), unseen, engine) for each in (FROM_NOTHING, FROM_WORTH)
    )
    assert started > without + 0.05


def test_trees_start_from_worth_wherever_candidates_have_one(engine, tmp_path, training, validation):
    files, unseen = [on_disk(tmp_path, **{name: worthy(20, 1)}) for name in "tv"], worthy(30, 3)
    unset, told, not_told = (each.fit(*files, engine, 1).score(unseen) for each in (SMALL, FROM_WORTH, FROM_NOTHING))
    assert unset.equals(told)
    assert not unset.equals(not_told)
    saved(SMALL.fit(*files, engine, 1), tmp_path / "model")
    assert SMALL.load(tmp_path / "model", engine).score(unseen).equals(unset)
    without = SMALL.fit(training, validation, engine, 1)  # no quotas, no worth
    assert without.score(planted(30, 3)).equals(FROM_NOTHING.fit(training, validation, engine, 1).score(planted(30, 3)))


def test_where_candidates_have_no_worth_the_remedy_is_named(training, validation, engine):
    with pytest.raises(ConfigError, match=r"ranker\.from_worth: .* add `quotas`"):
        FROM_WORTH.fit(training, validation, engine, 1)


@pytest.mark.gpu
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_gpus_trees_know_the_rule_and_score_alike_on_a_cpu(training, validation, engine, gpu, tmp_path, objective):
    unseen = planted(100, 3)
    ranker = SMALL.model_copy(update={"objective": objective})
    model = ranker.fit(training, validation, gpu, 1)
    assert map_of(model, unseen, engine) > 0.9
    # Sums are added in another order, so the trees may differ; the scores of the same trees must not.
    saved(model, tmp_path / "model")
    there, here = model.score(unseen), ranker.load(tmp_path / "model", engine).score(unseen)
    assert there.to_numpy() == pytest.approx(here.to_numpy(), abs=1e-4)
