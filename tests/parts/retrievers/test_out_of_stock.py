"""Other retrievers' candidates without the articles that seem to have run out."""

import pytest
from kit import proposed

from hmgpu.parts.retrievers.out_of_stock import OutOfStock
from hmgpu.parts.retrievers.repurchase import Repurchase


def history_of_sales(make_history, before, now):
    """Article 10, which customer 1 bought a year ago, sold `before` units three weeks ago and `now` last week."""
    sold = [(20, 100 + k, 10) for k in range(before)] + [(6, 200 + k, 10) for k in range(now)]
    return make_history([(360, 1, 10), (6, 300, 99), *sold])


@pytest.mark.parametrize(
    ("before", "now", "kept"),
    [(10, 3, True), (10, 2, True), (10, 1, False), (5, 0, False), (0, 1, True), (0, 0, False), (3, 30, True)],
)
def test_what_lost_more_than_four_fifths_is_dropped(make_history, engine, before, now, kept):
    assert proposed(OutOfStock(), history_of_sales(make_history, before, now), engine) == {1: [10] if kept else []}


def test_a_loss_of_just_the_share_is_allowed(make_history, engine):
    history = history_of_sales(make_history, 10, 3)
    assert proposed(OutOfStock(fall=0.7), history, engine) == {1: [10]}
    assert proposed(OutOfStock(fall=0.69), history, engine) == {1: []}


def test_the_windows_are_the_last_days_and_as_many_before(make_history, engine):
    history = make_history([(7, 1, 10), *((8, c, 10) for c in range(100, 110))])
    assert proposed(OutOfStock(days=7), history, engine) == {1: []}
    assert proposed(OutOfStock(days=8), history, engine) == {1: [10]}
    early = make_history([(7, 1, 10), *((15, c, 10) for c in range(100, 110))])
    assert proposed(OutOfStock(days=7), early, engine) == {1: [10]}


def test_the_inner_retriever_decides_the_order(make_history, engine):
    history = make_history([(3, 1, 10), (2, 1, 20), (1, 1, 30), *((20, c, 20) for c in range(100, 110))])
    assert proposed(Repurchase(), history, engine) == {1: [30, 20, 10]}
    assert proposed(OutOfStock(of=Repurchase()), history, engine) == {1: [30, 10]}
