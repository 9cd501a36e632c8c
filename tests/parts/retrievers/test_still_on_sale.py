"""Other retrievers' candidates that still sell."""

from kit import proposed

from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.parts.retrievers.still_on_sale import StillOnSale

# Customer 1 bought 10 and 20; others bought 10 eight days ago and 20 seven days ago.
BOUGHT = [(90, 1, 10), (60, 1, 20), (8, 5, 10), (7, 6, 20)]


def test_only_what_sold_in_these_days(make_history, engine):
    history = make_history(BOUGHT)
    assert proposed(StillOnSale(days=7), history, engine) == {1: [20]}
    assert proposed(StillOnSale(days=8), history, engine) == {1: [20, 10]}
    assert proposed(StillOnSale(days=6), history, engine) == {1: []}


def test_of_any_retriever(make_history, engine):
    history = make_history([*BOUGHT, (20, 7, 30), (20, 8, 30)])
    assert proposed(Popular(half_life=1e9), history, engine, [9]) == {9: [30, 20, 10]}
    assert proposed(StillOnSale(of=Popular(half_life=1e9)), history, engine, [9]) == {9: [20]}


def test_the_customers_own_purchase_is_a_sale(make_history, engine):
    assert proposed(StillOnSale(of=Repurchase()), make_history([(3, 1, 10)]), engine) == {1: [10]}


def test_no_history_no_candidates(make_history, engine):
    assert proposed(StillOnSale(), make_history(BOUGHT, customers={2: {}}), engine, [2]) == {2: []}
