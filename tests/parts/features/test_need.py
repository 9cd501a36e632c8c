"""How likely the customer needs something of the candidate's category in the coming week."""

import pytest
from kit import described
from pydantic import ValidationError

from hmgpu.parts.features.need import Need

COATS, SOCKS = {10: {"product_type": 5}, 11: {"product_type": 5}}, {20: {"product_type": 6}}


def test_season_share_and_their_product(make_history, engine):
    """Five coats were sold a year ago and one since; five socks were sold, two of them to customer 1."""
    then = [(371, 2, 10), (364, 2, 10), (358, 3, 11), (351, 3, 11), (357, 4, 11)]
    history = make_history(
        [*then, (180, 1, 10), (180, 1, 20), (360, 1, 20), (1, 5, 20), (2, 6, 20), (28, 7, 20)], articles=COATS | SOCKS
    )
    part = Need(half_life=180, prior=2, smoothing=1)
    found = described(part, history, engine, [(1, 11), (1, 20), (9, 20)])
    # The sale 371 days ago is more than a year old, and still counts for the season.
    coats, socks = found[1, 11], found[1, 20]
    assert coats["need_product_type_season"] == pytest.approx((5 + 1) / (5 * 21 / 364 + 1))
    assert socks["need_product_type_season"] == pytest.approx((1 + 1) / (5 * 21 / 364 + 1))
    assert coats["need_product_type_now"] == pytest.approx(1 / (5 * 28 / 364 + 1))
    assert socks["need_product_type_now"] == pytest.approx(4 / (5 * 28 / 364 + 1))
    # Own weights: half for a coat, a half and a quarter for socks; the prior of two adds one to each.
    assert coats["need_product_type_share"] == pytest.approx((0.5 + 1) / (1.25 + 2))
    assert socks["need_product_type_share"] == pytest.approx((0.75 + 1) / (1.25 + 2))
    assert found[9, 20]["need_product_type_share"] == pytest.approx(0.5)  # a new customer, so like everybody
    for row in found.values():
        expected = row["need_product_type_share"] * row["need_product_type_season"]
        assert row["need_product_type_coming"] == pytest.approx(expected)


def test_overdue_is_the_time_since_the_last_against_the_usual_gap(make_history, engine):
    """Customer 1 buys socks every 20 days, 2 after 80; on average that is (60 + 80) / 4 = 35 days."""
    own = [(70, 1, 20), (50, 1, 20), (30, 1, 20), (10, 1, 20), (10, 1, 20)]
    history = make_history([*own, (90, 2, 20), (10, 2, 20), (5, 3, 20), (5, 3, 10)], articles=COATS | SOCKS)
    found = described(Need(), history, engine, [(1, 20), (2, 20), (3, 20), (3, 10), (1, 10)])
    due = {pair: row["need_product_type_overdue"] for pair, row in found.items()}
    assert due[1, 20] == pytest.approx(10 / ((60 + 35) / 4))
    assert due[2, 20] == pytest.approx(10 / ((80 + 35) / 2))
    assert due[3, 20] == pytest.approx(5 / 35)
    assert due[3, 10] is due[1, 10] is None  # nobody bought a coat twice, and customer 1 bought none


def test_without_the_year_before_there_is_no_season(make_history, engine):
    found = described(Need(), make_history([(3, 1, 10)], articles=COATS), engine, [(1, 10)])[1, 10]
    assert found["need_product_type_season"] is found["need_product_type_coming"] is None
    assert found["need_product_type_share"] == 1


def test_an_article_without_a_category_is_unknown(make_history, engine):
    history = make_history([(3, 1, 10), (3, 1, 30)], articles=COATS)
    found = described(Need(), history, engine, [(1, 30), (1, 31)])
    assert set(found[1, 30].values()) == set(found[1, 31].values()) == {None}


def test_categories_are_code_columns_of_articles():
    assert Need(by="department").needs() == {"department"}
    with pytest.raises(ValidationError, match="'name' is not a level of the catalogue; choose from article, product, "):
        Need(by="name")


def test_a_customers_own_gaps_of_an_article(make_history, engine):
    """Customer 1 orders 20 every 30 days, customer 2 after 90; on average that is (60 + 90) / 3 = 50 days."""
    rows = [(65, 1, 20), (35, 1, 20), (5, 1, 20), (95, 2, 20), (5, 2, 20), (5, 3, 21)]
    part, history = Need(by="article"), make_history(rows, present=frozenset())
    assert part.needs() == frozenset()
    found = described(part, history, engine, [(1, 20), (2, 20), (3, 21), (3, 20)])
    due = {pair: row["need_article_overdue"] for pair, row in found.items()}
    assert due[1, 20] == pytest.approx(5 / ((60 + 50) / 3))
    assert due[2, 20] == pytest.approx(5 / ((90 + 50) / 2))
    assert due[3, 21] is due[3, 20] is None
    assert found[3, 20]["need_article_share"] < found[2, 20]["need_article_share"]
