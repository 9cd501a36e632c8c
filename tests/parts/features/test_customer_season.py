"""The share of a year's purchases that falls into the season of the coming week."""

import pytest
from kit import described

from hmgpu.parts.features.customer_season import CustomerSeason


def test_days_of_the_year_around_the_coming_week_are_its_season(make_history, engine):
    # Within 45 days of the cutoff or of its anniversaries, 364 and 728 days ago: days 319 and 409 are just inside.
    within, without = (1, 45, 319, 409, 728), (46, 318, 410)
    bought = [(ago, 1, 10) for ago in within] + [(ago, 1, 11) for ago in without] + [(729, 1, 11), (729, 2, 12)]
    found = described(CustomerSeason(years=2), make_history(bought), engine, [(1, 10), (1, 11), (2, 12), (3, 10)])
    assert found[1, 10] == {"customer_season_share": pytest.approx(5 / 8), "article_season_share": 1}
    assert found[1, 11] == {"customer_season_share": pytest.approx(5 / 8), "article_season_share": 0}
    assert set(found[2, 12].values()) == {None}  # before two whole years
    assert found[3, 10] == {"customer_season_share": None, "article_season_share": 1}


def test_a_new_customer_has_no_season_yet(make_history, engine):
    """A customer of less than a year has only seen some seasons, and all their purchases would fall into these."""
    history = make_history([(364, 1, 10), (30, 1, 10), (200, 1, 10), (363, 2, 11), (30, 2, 11)])
    found = described(CustomerSeason(), history, engine, [(1, 10), (2, 11)])
    assert found[1, 10] == dict.fromkeys(("customer_season_share", "article_season_share"), pytest.approx(2 / 3))
    assert set(found[2, 11].values()) == {None}


def test_the_width_is_a_setting(make_history, engine):
    history = make_history([(10, 1, 10), (364, 1, 10), (100, 1, 10)])
    shares = [described(CustomerSeason(around=n), history, engine, [(1, 10)])[1, 10] for n in (9, 10)]
    assert [each["customer_season_share"] for each in shares] == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
