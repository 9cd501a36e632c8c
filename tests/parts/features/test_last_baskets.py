"""How much in the customer's last baskets is the same as, or similar to, the candidate."""

import pytest
from kit import described
from pydantic import ValidationError

from hmgpu.parts.features.last_baskets import LastBaskets

ARTICLES = {
    10: {"product": 1, "department": 5},
    11: {"product": 1, "department": 5},
    12: {"product": 2, "department": 5},
    13: {"product": 3, "department": None},
}


def test_shopping_days_count_from_the_customers_last(make_history, engine):
    """The last basket, 300 days ago, has 10 twice and 12; the one before has 11, the one before that 10 alone."""
    bought = [(300, 1, 10), (300, 1, 10), (300, 1, 12), (310, 1, 11), (600, 1, 10), (601, 1, 12), (1, 2, 13)]
    part = LastBaskets(baskets=(1, 2, 3), like=("article", "product", "department"))
    found = described(part, make_history(bought, articles=ARTICLES), engine, [(1, 10), (1, 11), (1, 13), (2, 13)])
    assert found[1, 10] == {
        "last_article_1": 2,
        "last_article_2": 2,
        "last_article_3": 3,
        "last_product_1": 2,
        "last_product_2": 3,
        "last_product_3": 4,
        "last_department_1": 3,
        "last_department_2": 4,
        "last_department_3": 5,
    }
    assert found[1, 11] == found[1, 10] | {"last_article_1": 0, "last_article_2": 1, "last_article_3": 1}
    assert set(found[1, 13].values()) == {None}
    # An article without a department is not similar to anything by department.
    assert found[2, 13]["last_article_1"] == 1
    assert found[2, 13]["last_department_1"] is None


def test_only_what_the_retailer_has(make_history, engine):
    history = make_history([(1, 1, 10)], articles=ARTICLES, present=frozenset())
    assert described(LastBaskets(baskets=(1,)), history, engine, [(1, 10)])[1, 10] == {"last_article_1": 1}


def test_levels_are_code_columns_of_articles():
    with pytest.raises(ValidationError, match="'name' is not a level of the catalogue; choose from article, product"):
        LastBaskets(like=("name",))
