"""A candidate's score compared with the customer's best candidate of the same retriever."""

import polars as pl

from hmgpu.parts.features.retriever_scores import RetrieverScores
from hmgpu.pipeline.candidates import merge

KEYS = {"customer": pl.Int32, "article": pl.Int32}


def test_each_score_is_a_share_of_the_customers_best(make_history, engine):
    schema = KEYS | {"score": pl.Int64, "rank": pl.Int32}
    popular = [(1, 10, 400, 1), (1, 11, 100, 2), (2, 10, 50, 1), (2, 12, 40, 2)]
    own = [(1, 11, 8, 1)]
    pairs = merge(
        {
            "popular": pl.LazyFrame(popular, schema=schema, orient="row"),
            "repurchase": pl.LazyFrame(own, schema=schema, orient="row"),
        }
    )
    found = engine.collect(RetrieverScores().compute({}, pairs).sort("customer", "article"))
    assert found.to_dict(as_series=False) == {
        "customer": [1, 1, 2, 2],
        "article": [10, 11, 10, 12],
        "popular_score_share": [1.0, 0.25, 1.0, pl.Series([0.8], dtype=pl.Float32)[0]],
        "repurchase_score_share": [None, 1.0, None, None],
    }


def test_there_is_nothing_to_learn(make_history):
    assert RetrieverScores().learn(make_history([(1, 1, 1)])) == {}
