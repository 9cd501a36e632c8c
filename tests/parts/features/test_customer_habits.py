"""How a customer shops: how often, how lately, how much, in which channel, and at which prices."""

import pytest
from kit import described

from hmgpu.parts.features.customer_habits import CustomerHabits

# Three shopping days, 10 and 20 days apart; five units of four articles.
BOUGHT = [(1, 1, 10), (11, 1, 10), (11, 1, 11), (31, 1, 12), (31, 1, 13), (2, 2, 10)]


def test_a_customer(make_history, engine):
    history = make_history(BOUGHT, prices=[100, 200, 300, 400, 500, 9999], channels=[1, 1, 0, 0, 0, 0])
    found = described(CustomerHabits(windows=(7, 28)), history, engine, [(1, 99)])[1, 99]
    found.pop("customer_gap")
    assert found == {
        "customer_units_7": 1,
        "customer_units_28": 3,
        "customer_units": 5,
        "customer_articles": 4,
        "customer_days": 3,
        "customer_days_since": 1,
        "customer_tenure": 31,
        "customer_price": 300,
        "customer_price_max": 500,
        "customer_first_channel": pytest.approx(3 / 5),
        "customer_basket": pytest.approx(5 / 3),
        "customer_repeats": pytest.approx(1 / 5),
    }


def test_the_gap_is_the_mean_of_the_days_between_shopping_days(make_history, engine):
    # (10 + 20) / 2
    assert described(CustomerHabits(), make_history(BOUGHT), engine, [(1, 99)])[1, 99]["customer_gap"] == 15


def test_a_customer_who_never_bought_is_unknown(make_history, engine):
    found = described(CustomerHabits(), make_history(BOUGHT, customers={3: {}}), engine, [(3, 10)])
    assert set(found[3, 10].values()) == {None}


def test_a_retailer_without_prices_or_channels_has_the_rest(make_history, engine):
    found = described(CustomerHabits(), make_history(BOUGHT, present=frozenset()), engine, [(1, 10)])[1, 10]
    assert not {"customer_price", "customer_price_max", "customer_channel"} & set(found)
    assert found["customer_units"] == 5
