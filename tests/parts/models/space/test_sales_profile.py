"""Totals behind articles' sales profiles, worked out by hand, and whether cuDF can compute them."""

import numpy as np
import polars as pl
import pytest

from hmgpu.parts.models.space.sales_profile import sales_totals, sales_vectors


@pytest.fixture
def history(make_history):
    """Article 1 sold in the last week and the week before, 2 in the week before, 3 earlier."""
    bought = [(1, 0, 1), (7, 1, 1), (8, 0, 1), (14, 2, 2), (15, 0, 3)]
    return make_history(
        bought, customers={0: {"age": 30}, 1: {"age": 40}}, prices=[100, 300, 200, 50, 1], channels=[0, 1, 0, 1, 0]
    )


def test_totals_by_hand(history, engine):
    totals = engine.collect(sales_totals(history, 2).sort("article"))
    assert totals.to_dicts() == [
        {"article": 1, "units": 3, "week0": 2, "week1": 1, "paid": 600, "first_channel": 2, "years": 100, "buyers": 3},
        {"article": 2, "units": 1, "week0": 0, "week1": 1, "paid": 50, "first_channel": 0, "years": 0, "buyers": 0},
    ]


def test_totals_translate_to_cudf(history, untranslated):
    assert untranslated(sales_totals(history, 2)) == []


def test_two_articles_are_opposites_in_all_that_is_known_of_both(history, engine):
    vectors = sales_vectors(history, 2, engine)
    assert vectors["article"].to_list() == [1, 2]
    first, second = vectors.drop("article").to_numpy()
    assert vectors.width == 1 + 2 + 4
    assert np.linalg.norm([first, second], axis=1) / 2048 == pytest.approx([1.0, 1.0], abs=1e-3)
    # Standardised, they are 1 and -1, except for the age: it is unknown for 2, so both are average there.
    assert first == pytest.approx(-second, abs=1)
    assert first[-1] == second[-1] == 0


def test_articles_that_are_all_alike_are_zero(make_history, engine):
    vectors = sales_vectors(make_history([(1, 0, 1), (1, 0, 2)]), 4, engine)
    assert vectors.select(pl.exclude("article").abs().max()).row(0) == (0,) * (vectors.width - 1)
