"""Which customers are similar, and which of their purchases are proposed."""

import random
from collections import Counter
from math import log

import numpy as np
import pytest
from kit import proposed, scored

from hmgpu.parts.retrievers import user_cf
from hmgpu.parts.retrievers.user_cf import UserCF

# Customers 1 and 8 bought 10, 2 and 9 bought 11; 8 bought 20 of late, 9 bought 30.
TASTES = [(30, 1, 10), (30, 8, 10), (30, 2, 11), (30, 9, 11)]
BOUGHT = [*TASTES, (3, 8, 20), (3, 9, 30)]


def test_recent_purchases_of_similar_customers(make_history, engine):
    assert proposed(UserCF(days=7), make_history(BOUGHT), engine, [1, 2]) == {1: [20], 2: [30]}


def test_what_a_neighbour_bought_before_is_proposed_when_asked_for(make_history, engine):
    history = make_history(BOUGHT)
    assert proposed(UserCF(days=3), history, engine, [1]) == {1: [20]}
    assert proposed(UserCF(days=2), history, engine, [1]) == {1: []}
    assert proposed(UserCF(days=30, half_life=10), history, engine, [1]) == {1: [20, 10]}


def test_neighbours_bought_something_in_the_active_days(make_history, engine):
    history = make_history(BOUGHT)
    assert proposed(UserCF(days=7, active_days=2), history, engine, [1]) == {1: []}
    assert proposed(UserCF(days=7, active_days=3), history, engine, [1]) == {1: [20]}


def test_nobody_is_their_own_neighbour(make_history, engine):
    assert proposed(UserCF(), make_history([(3, 1, 10), (2, 1, 20)]), engine, [1]) == {1: []}
    assert proposed(UserCF(), make_history(BOUGHT), engine, [8]) == {8: []}


def test_the_purchase_of_another_colour_counts_too(make_history, engine):
    bought = [(30, 1, 10), (30, 8, 12), (3, 8, 20), (3, 9, 30)]
    family = {10: {"product": 5}, 12: {"product": 5}, 20: {"product": 6}, 30: {"product": 7}}
    assert proposed(UserCF(), make_history(bought, articles=family), engine) == {1: [20]}
    assert proposed(UserCF(), make_history(bought), engine) == {1: []}
    assert proposed(UserCF(), make_history(bought, articles=family, present=frozenset()), engine) == {1: []}


def test_a_rare_article_counts_more(make_history, engine):
    # Customer 1 shares article 10 with 8 and six others, and the rare article 11 only with 9.
    common = [(30, c, 10) for c in range(20, 26)] + [(3, c, 99) for c in range(20, 26)]
    bought = [(30, 1, 10), (30, 1, 11), (30, 8, 10), (3, 8, 20), (30, 9, 11), (3, 9, 30)]
    found = proposed(UserCF(), make_history([*common, *bought]), engine)[1]
    assert found.index(30) < found.index(20)


def test_what_too_many_bought_is_not_compared(make_history, engine):
    both = [(30, c, 10) for c in (1, 7, 8)] + [(3, 7, 20), (3, 8, 20)]
    assert proposed(UserCF(most_buyers=2), make_history(both), engine) == {1: [20]}
    assert proposed(UserCF(most_buyers=1), make_history(both), engine) == {1: []}


def test_a_new_purchase_counts_more(make_history, engine):
    # Customer 1 bought 11 lately and 10 long ago.
    bought = [(90, 1, 10), (10, 1, 11), (30, 8, 10), (30, 9, 11), (3, 8, 20), (3, 9, 30)]
    assert proposed(UserCF(), make_history(bought), engine) == {1: [30, 20]}
    early = [(10, 1, 10), (90, 1, 11), *bought[2:]]
    assert proposed(UserCF(), make_history(early), engine) == {1: [20, 30]}


def test_only_the_latest_articles_are_compared(make_history, engine):
    bought = [(90, 1, 10), (10, 1, 11), (30, 8, 10), (30, 9, 11), (3, 8, 20), (3, 9, 30)]
    assert proposed(UserCF(latest=1), make_history(bought), engine) == {1: []}
    assert proposed(UserCF(latest=2), make_history(bought), engine) == {1: [30, 20]}
    assert proposed(UserCF(profile_days=80), make_history(bought), engine) == {1: [30]}


def test_what_a_neighbour_bought_last_weighs_more(make_history, engine):
    bought = [(30, c, 10) for c in (1, 8)] + [(7, 8, 20), (1, 8, 30)]
    (last, first) = scored(UserCF(half_life=6, days=7), make_history(bought), engine)[1]
    assert (last[0], first[0]) == (30, 20)
    assert first[1] / last[1] == pytest.approx(0.5, rel=0.01)


def test_the_nearest_neighbours_and_equally_near_ones(make_history, engine):
    # Customers 7 and 8 bought exactly what customer 1 bought, 9 something else too.
    alike = [(30, c, 10) for c in (1, 7, 8, 9)] + [(30, 9, 50)]
    history = make_history([*alike, (3, 7, 20), (3, 8, 20), (3, 9, 30)])
    assert proposed(UserCF(neighbours=1), history, engine) == {1: [20]}
    assert proposed(UserCF(neighbours=3), history, engine) == {1: [20, 30]}


@pytest.fixture
def crowd():
    draw = random.Random(4)
    return [(draw.randrange(1, 60), draw.randrange(40), draw.randrange(25)) for _ in range(500)]


def test_scores_are_those_of_dense_arithmetic(crowd, make_history, engine):
    """All neighbours count: a score is the sum over them of cosine times weight."""
    history = make_history(crowd)
    part = UserCF(neighbours=100, latest=100, days=20, active_days=20, half_life=5, profile_half_life=20, n=25)
    last = {}
    for ago, customer, article in crowd:
        last[customer, article] = min(ago, last.get((customer, article), ago))
    active = {customer for ago, customer, _ in crowd if ago <= 20}
    buyers = Counter(article for customer, article in last if customer in active)
    vectors, wanted = np.zeros((40, 25)), np.zeros((40, 25))
    for (customer, article), ago in last.items():
        vectors[customer, article] = 0.5 ** (ago / 20) * log(1 + len(active) / buyers[article])
        if customer in active and ago <= 20:
            wanted[customer, article] = 0.5 ** (ago / 5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, 0)
    expected = alike @ wanted
    for customer, rows in scored(part, history, engine, range(0, 40, 7)).items():
        assert len(rows) == np.count_nonzero(expected[customer] > 1e-4)
        for article, score in rows:
            assert score / 2**40 == pytest.approx(expected[customer, article], rel=0.02, abs=0.005)


def test_how_much_is_worked_on_at_once_changes_nothing(crowd, make_history, engine, monkeypatch):
    history = make_history(crowd)
    whole = scored(UserCF(neighbours=5), history, engine, range(40))
    for bound in (1, 300):
        monkeypatch.setattr(user_cf, "AT_ONCE", bound)
        assert scored(UserCF(neighbours=5), history, engine, range(40)) == whole


def test_a_customer_without_purchases_gets_nothing(make_history, engine):
    assert proposed(UserCF(), make_history(BOUGHT, customers={5: {}}), engine, [5]) == {5: []}
    assert proposed(UserCF(), make_history([(400, 5, 10), *BOUGHT]), engine, [5]) == {5: []}
    assert proposed(UserCF(), make_history([(100, 1, 10)]), engine, [1]) == {1: []}
