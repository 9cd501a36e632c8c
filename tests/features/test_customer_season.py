"""How much of a year's purchases fall into the season of the coming week."""

import pytest
from kit import described

from hmgpu.features.customer_season import CustomerSeason


def test_days_of_the_year_around_the_coming_week_are_its_season(make_history, engine):
    # Within 45 days of the cutoff or of its anniversaries, 364 and 728 days ago: 319 and 409 are the last ones.
    within, without = (1, 45, 319, 409, 728), (46, 318, 410)
    history = make_history([(ago, 1, 10) for ago in within] + [(ago, 1, 11) for ago in without] + [(729, 2, 12)])
    found = described(CustomerSeason(), history, engine, [(1, 10), (1, 11), (2, 12), (3, 10)])
    assert found[1, 10] == {"customer_season_share": pytest.approx(5 / 8), "article_season_share": 1}
    assert found[1, 11] == {"customer_season_share": pytest.approx(5 / 8), "article_season_share": 0}
    assert set(found[2, 12].values()) == {None}  # before two whole years
    assert found[3, 10] == {"customer_season_share": None, "article_season_share": 1}


def test_years_and_width_are_settings(make_history, engine):
    history = make_history([(10, 1, 10), (364, 1, 10), (365, 1, 11), (100, 1, 11)])
    one = described(CustomerSeason(years=1, around=9), history, engine, [(1, 10)])[1, 10]
    assert one == {"customer_season_share": pytest.approx(1 / 3), "article_season_share": 0.5}
    two = described(CustomerSeason(years=2, around=10), history, engine, [(1, 11)])[1, 11]
    assert two == {"customer_season_share": pytest.approx(3 / 4), "article_season_share": 0.5}
