"""The merged order of retrievers, as a ranker."""

from pathlib import Path

import polars as pl
import pytest

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.order import Order


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    """One customer: `own` proposes 11 and 12, `popular` 10, 11 and 12; nobody proposes 13 (another retriever did)."""
    table = pl.DataFrame(
        {
            "customer": [1, 1, 1, 1],
            "article": [10, 11, 12, 13],
            "label": [0, 1, 0, 0],
            "own_score": [None, 5.0, 9.0, None],
            "own_rank": [None, 2, 1, None],
            "popular_score": [9.0, 3.0, 4.0, None],
            "popular_rank": [1, 3, 2, None],
            "article_rank": [1, 2, 3, 4],  # a feature's rank, which has no score
            "retrievers": [1, 2, 2, 1],
            "best_rank": [1, 2, 1, 1],
        },
        schema_overrides={"own_rank": pl.Int32, "popular_rank": pl.Int32, "best_rank": pl.Int32},
    )
    table.write_parquet(tmp_path / "examples.parquet")
    return Examples((tmp_path / "examples.parquet",))


def order_of(model, examples: Examples) -> list[int]:
    """Return the articles that the model gives a score, best first."""
    (table,) = examples.tables()
    scored = table.select("article").with_columns(score=model.score(table)).drop_nulls()
    return scored.sort("score", descending=True)["article"].to_list()


def test_all_of_the_first_retriever_then_the_rest_of_the_second(examples, engine):
    assert order_of(Order().fit(examples, examples, engine, 1), examples) == [12, 11, 10]


def test_the_config_may_name_another_order(examples, engine):
    assert order_of(Order(retrievers=("popular", "own")).fit(examples, examples, engine, 1), examples) == [10, 12, 11]
    assert order_of(Order(retrievers=("own",)).fit(examples, examples, engine, 1), examples) == [12, 11]


def test_scores_scaled_from_0_to_1_for_each_retriever_are_added_up(examples, engine, tmp_path):
    # own: 11 has 0, 12 has 1; popular: 10 has 1, 11 has 0, 12 has (4 - 3) / (9 - 3). Nobody proposes 13.
    ranker = Order(by="minmax")
    model = ranker.fit(examples, examples, engine, 1)
    (table,) = examples.tables()
    assert model.score(table).to_list() == [1, 0, pytest.approx(7 / 6), None]
    alone = Order(by="minmax", retrievers=("own",)).fit(examples, examples, engine, 1)
    assert alone.score(table.filter(pl.col("article") > 11)).to_list() == [1, None]
    # Another customer's scores change only their own scale.
    two = pl.concat([table, table.with_columns(customer=pl.lit(2, pl.Int64), own_score=pl.col("own_score") * 100)])
    assert model.score(two).to_list() == [*model.score(table), *model.score(table)]
    model.save(tmp_path)
    assert ranker.load(tmp_path, engine).score(table).equals(model.score(table))


def test_a_saved_model_scores_the_same(examples, engine, tmp_path):
    ranker = Order(retrievers=("popular", "own"))
    model = ranker.fit(examples, examples, engine, 1)
    model.save(tmp_path)
    (table,) = examples.tables()
    assert Order().load(tmp_path, engine).score(table).equals(model.score(table))
    assert model.score(table).dtype == pl.Float32


def test_a_retriever_that_is_not_there_is_the_users_error(examples, engine):
    with pytest.raises(ConfigError, match="nope"):
        Order(retrievers=("own", "nope")).fit(examples, examples, engine, 1)


def test_places_that_networks_give_to_every_candidate_are_added_up(examples, engine, tmp_path):
    (table,) = examples.tables()
    placed = table.with_columns(own_place=pl.Series([4, 2, 3, 1]), popular_place=pl.Series([1, 3, 2, 4]))
    Examples.write(tmp_path / "placed.parquet", placed, [])
    examples = Examples((tmp_path / "placed.parquet",))
    one = Order(by="place", retrievers=("own",)).fit(examples, examples, engine, 1)
    assert order_of(one, examples) == [13, 11, 12, 10]  # 13, which neither of them proposed, too
    both = Order(by="place").fit(examples, examples, engine, 1)
    assert both.score(placed).to_list() == [-5, -5, -5, -5]


def test_retrievers_without_a_network_give_no_places(examples, engine):
    for retrievers in (None, ("own",)):
        with pytest.raises(ConfigError, match="only retrievers with a network give places; here: none"):
            Order(by="place", retrievers=retrievers).fit(examples, examples, engine, 1)
