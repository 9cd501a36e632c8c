"""Purchases by the customer of the candidate itself, its product, its department or the like."""

import pytest
from kit import described
from pydantic import ValidationError

from hmgpu.parts.features.affinity import Affinity


def test_purchases_of_the_article_itself(make_history, engine):
    history = make_history([(7, 1, 10), (14, 1, 10), (14, 1, 10), (98, 1, 10), (2, 1, 11), (1, 2, 10)])
    found = described(Affinity(half_life=7), history, engine, [(1, 10)])[1, 10]
    # Weight: 2^-1 + 2 × 2^-2 + 2^-14. Share: 4 of the customer's 5 units.
    assert found == {
        "bought_article_units_7": 1,
        "bought_article_units_28": 3,
        "bought_article_units_91": 3,
        "bought_article_units": 4,
        "bought_article_days_since": 7,
        "bought_article_days_since_first": 98,
        "bought_article_weight": 1 + 2**-14,
        "bought_article_share": pytest.approx(0.8, rel=1e-6),
    }


def test_purchases_at_a_level_go_to_all_its_articles(make_history, engine):
    departments = {10: 5, 11: 5, 12: 6, 13: None, 14: 5}
    bought = [(3, 1, 10), (9, 1, 11), (2, 1, 12), (1, 1, 13), (1, 2, 10), (40, 2, 14)]
    history = make_history(bought, articles={a: {"department": d} for a, d in departments.items()})
    part = Affinity(by="department", windows=(7,))
    found = described(part, history, engine, [(1, 10), (1, 14), (1, 12), (1, 13), (2, 12)])
    assert found[1, 10] == found[1, 14]
    assert found[1, 14]["bought_department_units"] == 2
    assert found[1, 14]["bought_department_units_7"] == 1
    assert found[1, 14]["bought_department_days_since"] == 3
    # 13 is in no department, so the customer's departments share three units.
    assert found[1, 14]["bought_department_share"] == pytest.approx(2 / 3, rel=1e-6)
    assert found[1, 12]["bought_department_units"] == 1
    # Neither a purchase without a level nor a level without a purchase is known.
    assert set(found[1, 13].values()) == set(found[2, 12].values()) == {None}


def test_levels_are_code_columns_of_articles():
    assert Affinity(by="section").needs() == {"section"}
    assert Affinity(by="article").needs() == frozenset()
    with pytest.raises(ValidationError, match="'name' is not a level of the catalogue; choose from article, product"):
        Affinity(by="name")
