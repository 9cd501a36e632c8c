"""Examples: described as those for serving, every column somebody's, the bought and a bounded sample of the rest."""

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.store import History, Store
from hmgpu.parts.examples import KEYS, LABEL
from hmgpu.parts.feature import Feature
from hmgpu.parts.negatives.on_sale import OnSale
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.part import Learned
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retrievers.out_of_stock import OutOfStock
from hmgpu.parts.retrievers.still_on_sale import StillOnSale
from hmgpu.parts.retrievers.taste import Taste
from hmgpu.parts.retrievers.word2vec import Word2Vec
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.quotas import Quotas

CPU = Engine("cpu", "tests")


def test_training_examples_are_described_as_those_for_serving_are(config: Config) -> None:
    """The same customers at the same cutoff: whatever is kept for training has the columns and values of serving."""
    line = Pipeline.open(config, CPU)
    week = line.training_weeks[-1]
    examples, _ = line.examples(week, training=True)
    trained = pl.concat(examples.tables())
    proposed = line.describer.propose(week, line.learn(week), trained.select("customer").unique())
    served = line.describer.describe(proposed.pairs, proposed.learned)
    assert trained.drop(LABEL).sort(KEYS).equals(served.join(trained, on=KEYS, how="semi").sort(KEYS))


def test_every_column_of_the_examples_is_somebodys(with_models: Config) -> None:
    line = Pipeline.open(with_models.model_copy(update={"ranker": Cascade(early=("article_sales",))}), CPU)
    week = line.training_weeks[-1]
    table = next(line.examples(week, training=True)[0].tables())
    made_by = line.describer.families(week, line.learn(week), table.select("customer").head(1))
    assert set(table.columns) - set(made_by) == {*KEYS, LABEL}
    assert set(made_by) <= set(table.columns)
    assert made_by["best_rank"] == "retrievers"
    assert made_by["popular_rank"] == made_by["popular_score"] == "retrievers.popular"
    assert made_by["two_tower_dot"] == "retrievers.two_tower"
    assert made_by["popular_score_share"] == "features.strategies"
    chosen = Pipeline.open(with_models.model_copy(update={"quotas": Quotas(keep=20, customers=50)}), CPU)
    columns = chosen.examples(week, training=True)[0].features()
    some = table.select("customer").head(1)
    made_by = chosen.describer.families(week, chosen.learn(week), some, chosen.quotas)
    assert made_by["worth"] == "retrievers"
    assert set(columns) <= set(made_by)


def test_training_examples_have_the_bought_and_a_bounded_sample_of_the_rest(config: Config, store: Store) -> None:
    config = config.model_copy(update={"negatives": {"recalled": Recalled(n=5)}})
    line = Pipeline.open(config, CPU)
    week = line.training_weeks[-1]
    rows = pl.concat(line.examples(week, training=True)[0].tables())
    counts = rows.group_by("customer").agg(bought=pl.col(LABEL).sum(), rest=(1 - pl.col(LABEL)).sum())
    assert counts["bought"].min() >= 1
    assert counts["rest"].max() == 5
    bought = CPU.collect(store.sold_in(week)).with_columns(sold=pl.lit(True))
    marked = rows.join(bought, on=KEYS, how="left")
    assert (marked[LABEL].cast(pl.Boolean) == marked["sold"].fill_null(False)).all()


def test_negatives_from_elsewhere_have_the_early_columns_too(config: Config) -> None:
    """A ranker would learn that what has no sales was not bought, which no candidate that it scores can teach it."""
    others = {"recalled": Recalled(n=5), "on_sale": OnSale(n=20)}
    told = config.model_copy(update={"negatives": others, "quotas": Quotas(keep=20, customers=50)})
    tables = []
    for ranker in (Cascade(early=("article_sales",)), XGBoost()):
        line = Pipeline.open(told.model_copy(update={"ranker": ranker}), CPU)
        tables.append(pl.concat(line.examples(line.training_weeks[-1], training=True)[0].tables()))
    early, late = tables
    elsewhere = early.filter(pl.col("strategies") == 0)
    assert elsewhere.height > 0
    assert elsewhere["worth"].null_count() == elsewhere["best_rank"].null_count() == elsewhere.height
    assert elsewhere["article_units_7"].null_count() == 0
    assert early.select(late.columns).equals(late)


def test_columns_of_strategies_of_one_kind_have_their_names_and_come_through_filters(config: Config) -> None:
    few = {"popular": config.retrievers["popular"], "near": Word2Vec(dimensions=4, epochs=1, n=5)}
    few |= {"word2vec": Word2Vec(dimensions=4, window=2, epochs=1, n=5)}
    few |= {"still": StillOnSale(of=OutOfStock(of=Word2Vec(dimensions=4, epochs=1, n=5)), days=60)}
    few |= {name: Taste(n=5) for name in ("taste", "liking")}
    line = Pipeline.open(config.model_copy(update={"retrievers": few}), CPU)
    week = line.training_weeks[-1]
    rows = pl.concat(line.examples(week, training=False)[0].tables())
    assert {"taste", "liking"} <= set(rows.columns)  # its column has no more of a name than that
    assert rows["taste"].equals(rows["liking"])
    made = {column for column in rows.columns if column.endswith(("_dot", "_latest"))}
    assert made == {f"{name}_{what}" for name in ("near", "word2vec", "still") for what in ("dot", "latest")}
    # The same settings say the same, within filters or not; another window says something else.
    assert rows["still_dot"].equals(rows["near_dot"])
    assert rows["near_dot"].null_count() < rows.height
    assert not rows["word2vec_dot"].equals(rows["near_dot"])
    made_by = line.describer.families(week, line.learn(week), rows.select("customer").head(1))
    assert (made_by["near_dot"], made_by["still_dot"]) == ("retrievers.near", "retrievers.still")


def examples_of(config: Config) -> None:
    line = Pipeline.open(config, CPU)
    line.examples(line.validation_week, training=False)


def test_two_families_with_one_column_are_refused(config: Config) -> None:
    doubled = config.model_copy(update={"features": {**config.features, "again": config.features["buyer_age"]}})
    with pytest.raises(ConfigError, match=r"features\.again makes the column 'buyer_age"):
        examples_of(doubled)


class Repeating(Feature):
    """Breaks the contract: every customer twice."""

    def learn(self, history: History) -> Learned:
        return {"ages": pl.concat([history.customers.select("customer", doubled="age")] * 2)}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["ages"]


def test_a_family_that_repeats_a_key_is_refused(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"features\.broken gives more than one row for a key"):
        examples_of(config.model_copy(update={"features": {**config.features, "broken": Repeating()}}))
