"""Purchases as weights by age, and as a matrix of them."""

import polars as pl

from hmgpu.core.plans import TODAY
from hmgpu.parts.models.space.bought import matrix, weighted


def test_weights_halve_and_add_up(make_history, engine):
    history = make_history([(5, 1, 7), (10, 1, 7), (10, 2, 7), (5, 2, 9), (21, 2, 9)])
    found = engine.collect(weighted(history, 20, 5.0).sort("customer", "article"))
    assert found.rows() == [(1, 7, TODAY // 2 + TODAY // 4), (2, 7, TODAY // 4), (2, 9, TODAY // 2)]


def test_a_row_a_customer_and_a_column_an_article():
    keys = {"customer": [4, 4, 9], "article": [7, 2, 2], "weight": [TODAY, TODAY // 2, 2 * TODAY]}
    bought = pl.DataFrame(keys, schema={"customer": pl.Int32, "article": pl.Int32, "weight": pl.Int64})
    found = matrix(bought, pl.Series([2, 5, 7], dtype=pl.Int32))
    assert found.toarray().tolist() == [[0.5, 0.0, 1.0], [2.0, 0.0, 0.0]]


def test_nobody_bought_anything():
    bought = pl.DataFrame(schema={"customer": pl.Int32, "article": pl.Int32, "weight": pl.Int64})
    assert matrix(bought, pl.Series([2, 5], dtype=pl.Int32)).shape == (0, 2)
