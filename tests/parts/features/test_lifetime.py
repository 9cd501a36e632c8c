"""An article's stage of life, from its best week to sold out."""

import pytest
from kit import described

from hmgpu.parts.features.lifetime import Lifetime


def test_past_its_peak_and_running_out(make_history, engine):
    """Four units three weeks ago, four the week after, and one last week, four days before the cutoff."""
    bought = [(15, 1, 10)] * 4 + [(8, 2, 10)] * 4 + [(4, 1, 10), (60, 3, 10)]
    assert described(Lifetime(), make_history(bought), engine, [(9, 10)])[9, 10] == {
        "life_peak": 4,
        "life_weeks": 4,
        "life_weeks_since_peak": 1,  # the later of two equally good weeks
        "life_share_of_peak": 0.25,
        "life_missed": pytest.approx(3 * 9 / 28),  # nine units in 28 days, and three whole days without a sale
        "life_recent_against_usual": 0,
        "life_days_sold": pytest.approx(3 / 28),
    }


def test_an_article_is_not_expected_to_sell_before_it_was_there(make_history, engine):
    found = described(Lifetime(), make_history([(10, 1, 10), (1, 2, 10)]), engine, [(9, 10)])[9, 10]
    assert found["life_recent_against_usual"] == pytest.approx(1 / (3 * 2 / 10))
    assert found["life_days_sold"] == pytest.approx(0.2)
    assert found["life_missed"] == 0


def test_what_has_not_sold_lately_has_a_peak_only(make_history, engine):
    found = described(Lifetime(days=91), make_history([(29, 1, 10), (92, 1, 11)]), engine, [(9, 10), (9, 11)])
    assert found[9, 10]["life_weeks_since_peak"] == 4
    assert found[9, 10]["life_missed"] is found[9, 10]["life_share_of_peak"] is None
    assert set(found[9, 11].values()) == {None}
