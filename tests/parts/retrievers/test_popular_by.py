"""Best sellers among similar customers, or in the customer's departments or types."""

import pytest
from kit import proposed
from pydantic import ValidationError

from hmgpu.parts.retrievers.popular_by import PopularBy


def test_age_bands_end_with_their_last_year(make_history, engine):
    ages = {1: 19, 2: 20, 3: 69, 4: 70, 11: 16, 12: 29, 13: 60, 14: 101, 15: None}
    history = make_history(
        [(2, 1, 10), (2, 2, 20), (2, 3, 30), (2, 4, 40)], customers={c: {"age": age} for c, age in ages.items()}
    )
    # Bands: ..19 | 20..29 | … | 60..69 | 70..; a customer without an age has no band.
    wanted = {11: [10], 12: [20], 13: [30], 14: [40], 15: []}
    assert proposed(PopularBy(by="age_band"), history, engine, wanted) == wanted


def test_price_levels_are_fifths_of_the_customers_by_what_they_usually_pay(make_history, engine):
    # Ten customers who pay 100, 200, … on average (customer 10 pays 500 and 1500): two to a level.
    bought = [(2, customer, customer) for customer in range(1, 10)] + [(2, 10, 10), (2, 10, 11)]
    history = make_history(bought, prices=[100 * customer for customer in range(1, 10)] + [500, 1500])
    assert proposed(PopularBy(by="price_level"), history, engine, [1, 2, 5, 10]) == {
        1: [1, 2],
        2: [1, 2],
        5: [5, 6],
        10: [9, 10, 11],
    }


def test_the_channel_is_the_one_used_most(make_history, engine):
    # Customer 1: channel 1 twice, 0 once. Customer 2: one each, the tie goes to channel 0. 3 and 4 have the sales.
    bought = [(2, 1, 50), (2, 1, 51), (2, 1, 52), (2, 2, 53), (2, 2, 54), *[(2, 3, 60)] * 5, *[(2, 4, 61)] * 5]
    history = make_history(bought, channels=[1, 1, 0, 1, 0] + [0] * 5 + [1] * 5)
    found = proposed(PopularBy(by="channel", n=1), history, engine, [1, 2])
    assert found == {1: [61], 2: [60]}


def test_gender_is_what_four_fifths_of_the_purchases_are(make_history, engine):
    """Customers 1 and 2 buy women's clothes, 3 men's, 4 both; article 5 is neither, and only 1 and 2 buy it."""
    groups = {1: "Ladieswear", 2: "Ladieswear", 3: "Menswear", 5: "Sport"}
    bought = [(1, 1, 1), (1, 1, 5), (2, 1, 5), (3, 2, 2), (1, 3, 3), (2, 4, 3), (2, 4, 1)]
    history = make_history(bought, articles={article: {"index_group_name": name} for article, name in groups.items()})
    found = proposed(PopularBy(by="gender"), history, engine, [1, 2, 3, 4])
    assert found == {1: [5, 1, 2], 2: [5, 1, 2], 3: [3], 4: []}


def test_the_groups_of_each_gender_are_settings(make_history, engine):
    groups = {1: "Damen", 2: "Damen", 3: "Herren"}
    bought = [(1, 1, 1), (2, 2, 2), (2, 3, 3)]
    history = make_history(bought, articles={article: {"index_group_name": name} for article, name in groups.items()})
    part = PopularBy(by="gender", women=("Damen",), men=("Herren",))
    assert proposed(part, history, engine, [1, 3]) == {1: [1, 2], 3: [3]}
    assert proposed(PopularBy(by="gender"), history, engine, [1, 3]) == {1: [], 3: []}


@pytest.mark.parametrize(("by", "one", "other"), [("club", 3, 4), ("postal_code", 0, 9), ("fn", 0, 1)])
def test_any_code_or_flag_of_customers(make_history, engine, by, one, other):
    customers = {1: {by: one}, 2: {by: other}, 3: {by: one}}
    history = make_history([(2, 2, 20), (2, 3, 30)], customers=customers)
    assert proposed(PopularBy(by=by), history, engine, [1, 2]) == {1: [30], 2: [20]}


def test_an_article_attribute_gives_the_tags_bought_most_lately(make_history, engine):
    departments = {1: 100, 2: 200, 3: 300, 11: 100, 12: 200, 13: 300, 14: None}
    sold = [(2, 9, 11), (2, 9, 12), (2, 9, 13), (2, 9, 14)]
    # habit_days / 4 = 7 is the half-life of a habit: department 100 weighs 2 × 0.5, 200 weighs 3 × 0.25, 300 0.25.
    own = [(7, 1, 1), (7, 1, 1), (14, 1, 2), (14, 1, 2), (14, 1, 2), (14, 1, 3)]
    history = make_history(sold + own, articles={a: {"department": d} for a, d in departments.items()})
    part = PopularBy(by="department", days=3, habit_days=28, tags=2)
    assert proposed(part, history, engine) == {1: [11, 12]}


def test_a_small_group_is_not_drowned_by_a_large_one(make_history, engine):
    # Both departments weigh the same. Articles 1 and 5 are their best sellers; 2 sells a tenth of 1 but five times 5.
    sold = [(2, 9, 1)] * 100 + [(2, 9, 2)] * 10 + [(2, 9, 5)] * 2
    own = [(3, 1, 3), (3, 1, 6)]
    departments = {1: 0, 2: 0, 3: 0, 5: 7, 6: 7}
    history = make_history(sold + own, articles={a: {"department": d} for a, d in departments.items()})
    # With days=2, the customer's own purchases don't count as sales.
    assert proposed(PopularBy(by="department", days=2), history, engine) == {1: [1, 5, 2]}


def test_the_tail_keeps_the_order_of_its_sales(make_history, engine):
    # 8 sells twice as well as 7, both less than a thousandth of what the best seller 9 sells.
    history = make_history(
        [(2, 3, 9)] * 2200 + [(2, 3, 8)] * 2 + [(2, 3, 7)], customers={1: {"club": 0}, 3: {"club": 0}}
    )
    assert proposed(PopularBy(by="club"), history, engine) == {1: [9, 8, 7]}


def test_sales_before_the_window_do_not_count_habits_do(make_history, engine):
    history = make_history([(100, 1, 1), (3, 9, 2), (5, 9, 3)], articles={a: {"department": 4} for a in (1, 2, 3)})
    assert proposed(PopularBy(by="department", days=4, habit_days=100), history, engine) == {1: [2]}
    assert proposed(PopularBy(by="department", days=4, habit_days=99), history, engine) == {1: []}


def test_it_needs_the_column_that_its_attribute_comes_from():
    needed = {by: set(PopularBy(by=by).needs()) for by in ("age_band", "price_level", "channel", "club", "department")}
    assert needed == {
        "age_band": {"age"},
        "price_level": {"price"},
        "channel": {"channel"},
        "club": {"club"},
        "department": {"department"},
    }


@pytest.mark.parametrize("by", ["shoe_size", "name", "customer", ""])
def test_an_unknown_attribute_is_refused_with_the_known_ones(by):
    with pytest.raises(ValidationError, match=r"is not an attribute; choose from age_band, .*department"):
        PopularBy(by=by)
