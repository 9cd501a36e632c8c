"""Purchases in the same weeks a year ago."""

import pytest
from kit import described
from pydantic import ValidationError

from hmgpu.parts.features.same_season import SameSeason

TYPES = {10: {"product_type": 5}, 11: {"product_type": 5}, 12: {"product_type": 6}, 13: {"product_type": None}}


def test_the_window_is_around_the_anniversary_of_the_coming_week(make_history, engine):
    """That week is 364 to 358 days ago; with a day on either side, 365 to 357."""
    bought = [(366, 1, 10), (365, 1, 10), (360, 1, 11), (357, 2, 10), (356, 2, 10), (1, 1, 10), (360, 1, 13)]
    history = make_history(bought, articles=TYPES)
    part = SameSeason(by="product_type", around=1)
    found = described(part, history, engine, [(1, 10), (1, 11), (2, 11), (3, 10), (1, 12), (1, 13)])
    assert found[1, 10] == found[1, 11] == {"season_product_type_sold": 3, "season_product_type_bought": 2}
    assert found[2, 11] == {"season_product_type_sold": 3, "season_product_type_bought": 1}
    assert found[3, 10] == {"season_product_type_sold": 3, "season_product_type_bought": None}
    assert set(found[1, 12].values()) == set(found[1, 13].values()) == {None}


def test_levels_are_code_columns_of_articles():
    assert SameSeason(by="article").needs() == frozenset()
    assert SameSeason().needs() == {"product"}
    with pytest.raises(ValidationError, match="'name' is not a level of the catalogue; choose from article, product"):
        SameSeason(by="name")
