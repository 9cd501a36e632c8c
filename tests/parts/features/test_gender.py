"""Women's or men's: the candidate, and the customer's purchases."""

import pytest
from kit import described

from hmgpu.parts.features.gender import Gender

GROUPS = {1: "Ladieswear", 2: "Menswear", 3: "Divided"}


@pytest.fixture
def history(make_history):
    """Customer 7 bought 3 women's articles, a men's and a neutral one; 8 a neutral one; 9 a men's one long ago."""
    bought = [(1, 7, 1), (2, 7, 1), (3, 7, 1), (3, 7, 2), (3, 7, 3), (1, 8, 3), (366, 9, 2)]
    return make_history(bought, articles={article: {"index_group_name": name} for article, name in GROUPS.items()})


def test_how_far_candidate_and_customer_agree(history, engine):
    found = described(Gender(), history, engine, [(7, 1), (7, 2), (7, 3), (8, 1)])
    customer_columns = {"women_share": 0.75, "customer_gender": None}
    assert found[7, 1] == {"article_gender": 0, "gender_share": 0.75, **customer_columns}
    assert found[7, 2] == {"article_gender": 1, "gender_share": 0.25, **customer_columns}
    assert found[7, 3] == {"article_gender": None, "gender_share": None, **customer_columns}
    unknown = {"women_share": None, "customer_gender": None, "gender_share": None}
    assert found[8, 1] == {"article_gender": 0, **unknown}
    assert described(Gender(share=75), history, engine, [(7, 1)])[7, 1]["customer_gender"] == 0


def test_old_purchases_do_not_count(history, engine):
    found = {days: described(Gender(days=days), history, engine, [(9, 2)])[9, 2] for days in (365, 366)}
    assert found[365]["customer_gender"] is None
    assert found[366]["customer_gender"] == found[366]["gender_share"] == 1


def test_names_are_settings_and_the_column_is_needed(history, engine):
    part = Gender(women=("Divided",), men=("Ladieswear", "Menswear"))
    assert described(part, history, engine, [(8, 3)])[8, 3]["gender_share"] == 1
    assert part.needs() == {"index_group_name"}
