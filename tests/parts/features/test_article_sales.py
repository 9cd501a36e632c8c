"""How an article sells: units by window, trend, age, buyers, and the share of buyers who came back for it."""

import pytest
from kit import described

from hmgpu.parts.features.article_sales import ArticleSales


def test_a_life_of_an_article(make_history, engine):
    # Customer 1: two units on one day and one on another (came back); 2: two units on one day (did not); 3: one.
    bought = [(2, 1, 10), (2, 1, 10), (7, 1, 10), (8, 2, 10), (8, 2, 10), (15, 3, 10)]
    history = make_history([*bought, (500, 4, 10), (1, 1, 11)])
    assert described(ArticleSales(windows=(1, 7, 14, 364)), history, engine, [(9, 10)])[9, 10] == {
        "article_units_1": 0,
        "article_units_7": 3,
        "article_units_14": 5,
        "article_units_364": 6,
        "article_days_since_sale": 2,
        "article_buyers": 3,  # in the longest window; 500 days ago is before it
        "article_age": 500,
        "article_trend": pytest.approx((3 - 2) / (2 + 1)),
        "article_returned": pytest.approx(1 / 3),
        "article_units_a_buyer": 2,
    }


@pytest.mark.parametrize(("week_before", "this_week", "trend"), [(0, 4, 4.0), (4, 0, -0.8), (1, 1, 0.0), (9, 19, 1.0)])
def test_the_trend_is_of_this_week_against_the_last(make_history, engine, week_before, this_week, trend):
    history = make_history([(7, 1, 10)] * this_week + [(14, 1, 10)] * week_before)
    found = described(ArticleSales(), history, engine, [(9, 10)])[9, 10]
    assert found["article_trend"] == pytest.approx(trend)


def test_the_trend_looks_two_weeks_back_whatever_the_windows(make_history, engine):
    history = make_history([(3, 1, 10), (10, 1, 10), (10, 1, 10), (10, 1, 10)])
    assert described(ArticleSales(windows=(3,)), history, engine, [(9, 10)])[9, 10]["article_trend"] == -0.5


def test_an_article_that_did_not_sell_in_the_longest_window_is_unknown(make_history, engine):
    found = described(ArticleSales(windows=(28,)), make_history([(29, 1, 10), (28, 1, 11)]), engine, [(9, 10), (9, 11)])
    assert set(found[9, 10].values()) == {None}
    assert found[9, 11]["article_units_28"] == 1
