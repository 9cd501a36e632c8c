"""The customer's own past articles, the newest and most frequent ones first."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import proposed, scored

from hmgpu.core.plans import TODAY
from hmgpu.parts.retrievers.repurchase import Repurchase


def test_newest_first(make_history, engine):
    history = make_history([(30, 1, 12), (1, 1, 10), (8, 1, 11)])
    assert proposed(Repurchase(), history, engine) == {1: [10, 11, 12]}


def test_the_weight_of_a_purchase_halves(make_history, engine):
    history = make_history([(14, 1, 5), (28, 1, 6), (28, 1, 6), (28, 1, 6)])
    # Half-life 14: 5 weighs 2^-1, 6 three times 2^-2.
    assert scored(Repurchase(half_life=14), history, engine) == {1: [(6, 3 * TODAY // 4), (5, TODAY // 2)]}


def test_a_sum_of_three_decays_lets_old_purchases_count(make_history, engine):
    history = make_history([(4, 1, 5), (100, 1, 6)])
    # 4 days ago 2^-2 + 1/2 + 1 - 4/200, 100 days ago 2^-50 + 1/10 + 1/2; one step a day instead of the 2^-50.
    expected = [(5, round(1.73 * TODAY)), (6, round(0.6 * TODAY) + 101)]
    found = scored(Repurchase(half_life=2, decay="sum", days=200), history, engine)[1]
    assert [article for article, _ in found] == [5, 6]
    assert all(abs(score - right) <= 2 for (_, score), (_, right) in zip(found, expected, strict=True))
    one = scored(Repurchase(half_life=2, days=200), history, engine)[1]
    assert one == [(5, TODAY // 4), (6, 101)]


def test_long_ago_number_and_day_of_purchases_decide(make_history, engine):
    # 0.5^(500/14) is less than a step of 2^-31: a purchase weighs a step for each day since the first that counts.
    history = make_history([(600, 1, 4), (650, 1, 5), (650, 1, 5), (499, 1, 7), (500, 1, 6)])
    assert scored(Repurchase(half_life=14), history, engine) == {1: [(7, 232), (6, 231), (5, 162), (4, 131)]}


def test_the_window_holds_its_first_day(make_history, engine):
    history = make_history([(7, 1, 10), (8, 1, 11)])
    assert proposed(Repurchase(days=7), history, engine) == {1: [10]}


def test_ties_break_on_the_article_before_the_list_is_cut(make_history, engine):
    history = make_history([(3, 1, article) for article in (9, 7, 8)])
    assert proposed(Repurchase(n=2), history, engine) == {1: [7, 8]}


def test_each_customer_gets_only_their_own_articles(make_history, engine):
    history = make_history([(3, 1, 10), (3, 2, 11), (3, 3, 12)], customers={4: {}})
    assert proposed(Repurchase(), history, engine, [2, 4, 5]) == {2: [11], 4: [], 5: []}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bought=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 3), st.integers(1, 6)), min_size=1, max_size=30),
    seed=st.integers(0, 99),
)
def test_the_order_of_rows_decides_nothing(make_history, engine, bought, seed):
    shuffled = random.Random(seed).sample(bought, len(bought))
    part = Repurchase(n=3)
    first = scored(part, make_history(bought), engine, [1, 2, 3])
    assert first == scored(part, make_history(shuffled), engine, [1, 2, 3])
    assert all(len(rows) == min(3, len({a for _, c, a in bought if c == customer})) for customer, rows in first.items())
