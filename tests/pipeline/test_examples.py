"""Examples: described as for serving, every column from a known part, with the bought and a sample of the rest."""

from typing import Any

import polars as pl
import pytest
from conftest import CUTOFF

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.store import History, Store
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL
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
from hmgpu.pipeline.describe import bytes_a_candidate, column_parts, complete, propose
from hmgpu.pipeline.examples import with_labels, with_negatives
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.quotas import Quotas

CPU = Engine("cpu", "tests")
PAIR = {"customer": pl.Int32, "article": pl.Int32}
SOLD = {"day": pl.Int32, **PAIR}


def test_training_examples_are_described_as_those_for_serving_are(config: Config) -> None:
    """The same customers at the same cutoff: whatever is kept for training has the columns and values of serving."""
    pipeline = open_pipeline(config, CPU)
    week = pipeline.weeks.training[-1]
    examples, _ = pipeline.examples(week, training=True)
    trained = pl.concat(examples.tables())
    customers = trained.select("customer").unique()
    proposed = propose(pipeline.context, week, pipeline.learn(week), customers)
    served = complete(pipeline.context, proposed, proposed.pairs)
    assert trained.drop(LABEL).sort(KEYS).equals(served.join(trained, on=KEYS, how="semi").sort(KEYS))
    # Shards are planned by what these columns take.
    width = bytes_a_candidate(pipeline.context, week, pipeline.learn(week), customers)
    assert width == pytest.approx(served.estimated_size() / served.height, rel=0.1)


def test_every_column_of_the_examples_is_somebodys(with_models: Config) -> None:
    pipeline = open_pipeline(with_models.model_copy(update={"ranker": Cascade(early=("article_sales",))}), CPU)
    week = pipeline.weeks.training[-1]
    table = next(pipeline.examples(week, training=True)[0].tables())
    made_by = column_parts(pipeline.context, week, pipeline.learn(week), table.select("customer").head(1))
    assert set(table.columns) - set(made_by) == {*KEYS, LABEL}
    assert set(made_by) <= set(table.columns)
    assert made_by["best_rank"] == "retrievers"
    assert made_by["popular_rank"] == made_by["popular_score"] == "retrievers.popular"
    assert made_by["two_tower_dot"] == "retrievers.two_tower"
    assert made_by["popular_score_share"] == "features.retriever_scores"
    chosen = open_pipeline(with_models.model_copy(update={"quotas": Quotas(keep=20, customers=50)}), CPU)
    columns = chosen.examples(week, training=True)[0].features()
    some = table.select("customer").head(1)
    made_by = column_parts(chosen.context, week, chosen.learn(week), some)
    assert made_by["worth"] == "retrievers"
    assert set(columns) <= set(made_by)


def test_training_examples_have_the_bought_and_a_bounded_sample_of_the_rest(config: Config, store: Store) -> None:
    config = config.model_copy(update={"negatives": {"recalled": Recalled(n=5)}})
    pipeline = open_pipeline(config, CPU)
    week = pipeline.weeks.training[-1]
    rows = pl.concat(pipeline.examples(week, training=True)[0].tables())
    counts = rows.group_by("customer").agg(bought=pl.col(LABEL).sum(), rest=(1 - pl.col(LABEL)).sum())
    assert counts["bought"].min() >= 1
    assert counts["rest"].max() == 5
    bought = CPU.collect(store.sold_in(week)).with_columns(sold=pl.lit(True))
    marked = rows.join(bought, on=KEYS, how="left")
    assert (marked[LABEL].cast(pl.Boolean) == marked["sold"].fill_null(False)).all()


def test_negatives_from_elsewhere_have_the_early_columns_too(config: Config) -> None:
    """A ranker would learn that what has no sales was not bought, which no candidate that it scores can teach it."""
    others = {"recalled": Recalled(n=5), "on_sale": OnSale(n=20)}
    changed = config.model_copy(update={"negatives": others, "quotas": Quotas(keep=20, customers=50)})
    tables = []
    for ranker in (Cascade(early=("article_sales",)), XGBoost()):
        pipeline = open_pipeline(changed.model_copy(update={"ranker": ranker}), CPU)
        tables.append(pl.concat(pipeline.examples(pipeline.weeks.training[-1], training=True)[0].tables()))
    early, late = tables
    elsewhere = early.filter(pl.col("retrievers") == 0)
    assert elsewhere.height > 0
    assert elsewhere["worth"].null_count() == elsewhere["best_rank"].null_count() == elsewhere.height
    assert elsewhere["article_units_7"].null_count() == 0
    assert early.select(late.columns).equals(late)


def test_columns_of_retrievers_of_one_kind_have_their_names_and_come_through_filters(config: Config) -> None:
    few = {"popular": config.retrievers["popular"], "near": Word2Vec(dimensions=4, epochs=1, n=5)}
    few |= {"word2vec": Word2Vec(dimensions=4, window=2, epochs=1, n=5)}
    few |= {"still": StillOnSale(of=OutOfStock(of=Word2Vec(dimensions=4, epochs=1, n=5)), days=60)}
    few |= {name: Taste(n=5) for name in ("taste", "liking")}
    pipeline = open_pipeline(config.model_copy(update={"retrievers": few}), CPU)
    week = pipeline.weeks.training[-1]
    rows = pl.concat(pipeline.examples(week, training=False)[0].tables())
    assert {"taste", "liking"} <= set(rows.columns)  # its column has no more of a name than that
    assert rows["taste"].equals(rows["liking"])
    described = {column for column in rows.columns if column.endswith(("_dot", "_latest"))}
    assert described == {f"{name}_{what}" for name in ("near", "word2vec", "still") for what in ("dot", "latest")}
    # The same settings say the same, within filters or not; another window says something else.
    assert rows["still_dot"].equals(rows["near_dot"])
    assert rows["near_dot"].null_count() < rows.height
    assert not rows["word2vec_dot"].equals(rows["near_dot"])
    made_by = column_parts(pipeline.context, week, pipeline.learn(week), rows.select("customer").head(1))
    assert (made_by["near_dot"], made_by["still_dot"]) == ("retrievers.near", "retrievers.still")


def examples_of(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    pipeline.examples(pipeline.weeks.validation, training=False)


def test_two_families_with_one_column_are_refused(config: Config) -> None:
    doubled = config.model_copy(update={"features": {**config.features, "again": config.features["buyer_age"]}})
    with pytest.raises(ConfigError, match=r"features\.again computes the column 'buyer_age"):
        examples_of(doubled)


class Repeating(Feature):
    """A family that breaks the contract: every customer twice."""

    def learn(self, history: History) -> Learned:
        return {"ages": pl.concat([history.customers.select("customer", doubled="age")] * 2)}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["ages"]


def test_a_family_that_repeats_a_key_is_refused(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"features\.broken gives more than one row for a key"):
        examples_of(config.model_copy(update={"features": {**config.features, "broken": Repeating()}}))


def pairs(*rows: tuple[int, int]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=PAIR, orient="row")


def test_candidates_keep_their_order_and_columns_and_get_a_label() -> None:
    candidates = pairs((2, 5), (1, 9), (1, 5)).with_columns(rank=pl.Series([3, 2, 1], dtype=pl.Int32))
    # Customer 1 bought article 9, and 7, which was no candidate; article 5 was bought by another.
    found = CPU.collect(with_labels(candidates, pairs((1, 9), (1, 7), (3, 5))))
    assert found.schema == {**PAIR, "rank": pl.Int32, "label": pl.Int8}
    assert found.rows() == [(2, 5, 3, 0), (1, 9, 2, 1), (1, 5, 1, 0)]


def test_training_pairs_are_the_bought_candidates_and_others_that_were_not_bought(make_history: Any) -> None:
    history = make_history([(2, 9, article) for article in range(1, 6)])
    sold = pl.LazyFrame([(CUTOFF, 1, 1), (CUTOFF, 1, 4), (CUTOFF + 1, 1, 1), (CUTOFF, 2, 9)], schema=SOLD, orient="row")
    candidates = pairs((1, 1), (1, 2), (1, 3), (2, 1), (3, 1))
    ways = [Recalled(n=None), OnSale(n=40)]
    rows = CPU.collect(with_negatives(candidates, sold, history, ways, 1).sort(KEYS)).rows()
    # 4 was bought but is not a candidate, so it is not a negative; customers 2 and 3 bought no candidate.
    assert rows == [(1, 1), (1, 2), (1, 3), (1, 5)]
