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


def test_one_customer_alone_has_the_same_bits_as_among_others(engine):
    """Polars divides by what all rows share in another way; a list must not depend on who else is asked for."""
    scores = [400.0 / (3 + place) + 0.1 * customer for customer in (1, 2) for place in range(200)]
    keys = {"customer": [1] * 200 + [2] * 200, "article": [*range(200)] * 2}
    pairs = pl.DataFrame(keys | {"popular_score": scores}, schema=KEYS | {"popular_score": pl.Float32}).lazy()
    both = engine.collect(RetrieverScores().compute({}, pairs), fits=True)
    for customer in (1, 2):
        mine = pl.col("customer") == customer
        alone = engine.collect(RetrieverScores().compute({}, pairs.filter(mine)), fits=True)
        assert alone.equals(both.filter(mine))
