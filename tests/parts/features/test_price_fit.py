"""How an article's price compares with what the customer usually pays."""

import math

import pytest
from kit import described

from hmgpu.parts.features.price_fit import PriceFit


def test_against_the_mean_and_the_spread_of_what_the_customer_pays(make_history, engine):
    # Customer 1 pays 100 and 300: usually 200, deviation 100. Article 12 costs 250 and 350: 300 on average.
    history = make_history([(3, 1, 10), (4, 1, 11), (5, 2, 12), (6, 3, 12)], prices=[100, 300, 250, 350])
    assert described(PriceFit(), history, engine, [(1, 12)])[1, 12] == {
        "price_against_usual": 1.5,
        "price_deviation": pytest.approx(100 / 101, rel=1e-6),
    }


def test_a_customer_with_one_price_has_no_spread(make_history, engine):
    history = make_history([(3, 1, 10), (3, 1, 10), (5, 2, 12)], prices=[100, 100, 40])
    assert described(PriceFit(), history, engine, [(1, 12)])[1, 12] == {
        "price_against_usual": pytest.approx(0.4),
        "price_deviation": -60,
    }


def test_customers_and_articles_without_a_price_are_unknown(make_history, engine):
    history = make_history([(30, 1, 10), (31, 2, 11)], prices=[100, 100], customers={3: {}})
    found = described(PriceFit(days=30), history, engine, [(1, 10), (3, 10), (2, 10), (1, 11)])
    assert found.pop((1, 10)) == {"price_against_usual": 1, "price_deviation": 0}
    assert all(set(columns.values()) == {None} for columns in found.values())


def test_no_price_is_infinite_for_customers_of_free_articles(make_history, engine):
    # XGBoost refuses infinite features; free articles (price 0) are within the contract.
    history = make_history([(3, 1, 10), (3, 2, 11)], prices=[0, 100])
    found = described(PriceFit(), history, engine, [(1, 11), (1, 10), (2, 10)])
    assert not [value for columns in found.values() for value in columns.values() if value and math.isinf(value)]


def test_it_needs_prices():
    assert PriceFit().needs() == {"price"}
