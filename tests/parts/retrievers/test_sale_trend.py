"""Articles that sell better than the week before."""

import pytest
from kit import proposed, scored
from pydantic import ValidationError

from hmgpu.parts.retrievers.sale_trend import SaleTrend


def sales(article: int, now: int, before: int, customer: int = 9) -> list[tuple[int, int, int]]:
    """Return sales in the last seven days and in the seven before, at the edges of both windows."""
    return [(7, customer, article)] * now + [(14, customer, article)] * before + [(15, customer, article)] * 99


def test_growth_is_measured_against_the_week_before_and_one_more(make_history, engine):
    # (9 - 2) / 3 = 2.33, (6 - 0) / 1 = 6, (20 - 10) / 11 = 0.91; each as a share of the best.
    history = make_history(sales(1, 9, 2) + sales(2, 6, 0) + sales(3, 20, 10), customers={1: {}})
    found = scored(SaleTrend(), history, engine)[1]
    assert [article for article, _ in found] == [2, 1, 3]
    assert [score / found[0][1] for _, score in found] == pytest.approx([1, 7 / 18, 10 / 66], abs=1e-5)


def test_too_little_growth_or_too_few_sales_are_not_a_trend(make_history, engine):
    history = make_history(sales(1, 20, 11) + sales(2, 4, 0) + sales(3, 5, 1) + sales(4, 9, 9), customers={1: {}})
    assert proposed(SaleTrend(), history, engine) == {1: [3]}  # 9 / 12 = 0.75 is less than 0.8
    assert proposed(SaleTrend(least=0.7), history, engine) == {1: [3, 1]}
    assert proposed(SaleTrend(sold=4), history, engine) == {1: [2, 3]}


def test_a_group_has_trends_of_its_own(make_history, engine):
    # Article 1 rises only among the young, article 2 only among the old.
    young, old = {"age": 20}, {"age": 60}
    bought = sales(1, 9, 1, 8) + sales(1, 1, 9, 7) + sales(2, 9, 1, 7) + sales(2, 1, 9, 8)
    history = make_history(bought, customers={8: young, 7: old, 1: young, 2: old, 3: {}})
    assert proposed(SaleTrend(by="age_band"), history, engine, [1, 2, 3]) == {1: [1], 2: [2], 3: []}
    assert proposed(SaleTrend(least=0.01), history, engine, [1]) == {1: []}  # 10 now and 10 before


def test_customers_get_the_article_groups_that_they_buy(make_history, engine):
    departments = {article: {"department": article // 10} for article in (10, 11, 20, 21)}
    bought = sales(10, 9, 1) + sales(20, 9, 2) + [(100, 1, 11), (100, 2, 21)]
    history = make_history(bought, articles=departments)
    assert proposed(SaleTrend(by="department"), history, engine, [1, 2, 3]) == {1: [10], 2: [20], 3: []}


def test_ties_break_on_the_article_before_the_list_is_cut(make_history, engine):
    history = make_history([row for article in (9, 4, 7) for row in sales(article, 6, 0)], customers={1: {}})
    assert proposed(SaleTrend(n=2), history, engine) == {1: [4, 7]}


def test_an_unknown_attribute_is_refused():
    with pytest.raises(ValidationError, match="'shoes' is not an attribute"):
        SaleTrend(by="shoes")
    assert SaleTrend().needs() == frozenset()
    assert SaleTrend(by="price_level").needs() == {"price"}
