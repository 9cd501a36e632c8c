"""The customer's age compared with the age of the article's buyers."""

import pytest
from kit import described

from hmgpu.parts.features.buyer_age import BuyerAge


def history_with_ages(make_history, bought):
    ages = {1: 20, 2: 50, 3: None, 8: 25, 9: None}
    return make_history(bought, customers={customer: {"age": age} for customer, age in ages.items()})


def test_mean_spread_and_distance_over_units(make_history, engine):
    # Ages 20, 20, 50 (customer 3's age is unknown): mean 30, variance (400 + 400 + 2500) / 3 − 900 = 200.
    history = history_with_ages(make_history, [(5, 1, 10), (6, 1, 10), (7, 2, 10), (8, 3, 10)])
    found = described(BuyerAge(), history, engine, [(8, 10), (9, 10)])
    assert found[8, 10] == {
        "buyer_age": 30,
        "buyer_age_deviation": pytest.approx(200**0.5, rel=1e-6),
        "buyer_age_distance": 5,
    }
    assert found[9, 10] == found[8, 10] | {"buyer_age_distance": None}


def test_one_buyer_has_no_spread(make_history, engine):
    found = described(BuyerAge(), history_with_ages(make_history, [(5, 2, 10)]), engine, [(8, 10)])
    assert found[8, 10] == {"buyer_age": 50, "buyer_age_deviation": 0, "buyer_age_distance": 25}


def test_buyers_of_unknown_age_or_before_the_window_do_not_count(make_history, engine):
    history = history_with_ages(make_history, [(5, 3, 10), (92, 1, 11), (91, 1, 12)])
    found = described(BuyerAge(days=91), history, engine, [(8, 10), (8, 11), (8, 12)])
    assert set(found[8, 10].values()) == set(found[8, 11].values()) == {None}
    assert found[8, 12]["buyer_age"] == 20


def test_it_needs_ages():
    assert BuyerAge().needs() == {"age"}
