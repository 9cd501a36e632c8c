"""Item-to-item collaborative filtering: weights of pairs, what rules are divided by, and rules by group."""

from math import log, sqrt

import pytest
from kit import proposed, scored
from pydantic import ValidationError

from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.item_cf import ItemCF

# Customers 8 and 9 bought 10 and, two days later, 20; customers 1 and 2 ask.
PAIR = [(5, c, 10) for c in (8, 9)] + [(3, c, 20) for c in (8, 9)]
ASK = [(4, 1, 10), (4, 2, 20)]


def scores(part, history, engine, customers=(1,)):
    return {customer: dict(rows) for customer, rows in scored(part, history, engine, customers).items()}


def test_what_was_bought_before_weighs_less(make_history, engine):
    found = scores(ItemCF(backwards=0.5), make_history([*PAIR, *ASK]), engine, [1, 2])
    assert {customer: list(articles) for customer, articles in found.items()} == {1: [20], 2: [10]}
    assert found[1][20] / found[2][10] == pytest.approx(2, rel=1e-3)
    assert proposed(ItemCF(backwards=0), make_history([*PAIR, *ASK]), engine, [1, 2]) == {1: [20], 2: []}


def test_days_between_and_the_same_day(make_history, engine):
    # Article 20 is bought with 10 on the same day, 30 two days later, by the same buyers; the pairs' age doesn't count.
    bought = [(9, c, a) for c in (8, 9) for a in (10, 20)] + [(7, c, 30) for c in (8, 9)]
    history = make_history([*bought, (2, 1, 10)])
    found = scores(ItemCF(gap=0.7, on_sale=14, pair_half_life=1e9), history, engine)[1]
    assert found[30] / found[20] == pytest.approx(0.49, rel=1e-3)
    found = scores(ItemCF(gap=0.7, same_day=0.2, on_sale=14, pair_half_life=1e9), history, engine)[1]
    assert found[30] / found[20] == pytest.approx(0.49 / 0.2, rel=1e-3)


def test_a_pair_ages_from_its_later_purchase(make_history, engine):
    # 20 was bought a day after 10, 4 days ago; 30 was bought a day after 11, 14 days earlier.
    bought = [(5, c, 10) for c in (8, 9)] + [(4, c, 20) for c in (8, 9)]
    bought += [(19, c, 11) for c in (6, 7)] + [(18, c, 30) for c in (6, 7)]
    history = make_history([*bought, (2, 1, 10), (2, 1, 11)])
    found = scores(ItemCF(pair_half_life=14, on_sale=30), history, engine)[1]
    assert found[30] / found[20] == pytest.approx(0.5, rel=1e-3)


def test_customers_who_bought_much_count_less(make_history, engine):
    # Customers 8 and 9 bought two articles each; 6 and 7 bought four each.
    bought = [(5, c, a) for c in (8, 9) for a in (10, 20)]
    bought += [(5, c, a) for c in (6, 7) for a in (11, 30)] + [(5, c, 100 * c + k) for c in (6, 7) for k in (1, 2)]
    history = make_history([*bought, (2, 1, 10), (2, 1, 11)])
    found = scores(ItemCF(), history, engine)[1]
    assert found[30] / found[20] == pytest.approx(log(3) / log(5), rel=1e-3)


@pytest.mark.parametrize(("normalise", "expected"), [("log", log(3) / log(11)), ("root", sqrt(2 / 10))])
def test_popular_articles_count_less(make_history, engine, normalise, expected):
    # Ten customers bought 99, two of them 10 and 20 too.
    bought = [(5, c, a) for c in (8, 9) for a in (10, 20, 99)] + [(5, c, 99) for c in range(20, 28)]
    found = scores(ItemCF(normalise=normalise), make_history([*bought, (5, 1, 10)]), engine)[1]
    assert found[99] / found[20] == pytest.approx(expected, rel=1e-3)


def test_customers_get_the_rules_of_their_own_group(make_history, engine):
    # The young buy 20 with 10, the old 30; 3 has no age.
    bought = [(5, c, a) for c in (8, 9) for a in (10, 20)] + [(5, c, a) for c in (6, 7) for a in (10, 30)]
    ages = dict.fromkeys((8, 9, 1), 25) | dict.fromkeys((6, 7, 2), 60)
    history = make_history(
        [*bought, *((2, c, 10) for c in (1, 2, 3))], customers={c: {"age": a} for c, a in ages.items()}
    )
    assert proposed(ItemCF(by="age_band"), history, engine, [1, 2, 3]) == {1: [20], 2: [30], 3: []}
    assert proposed(ItemCF(), history, engine, [1, 2, 3]) == {c: [20, 30] for c in (1, 2, 3)}


def test_groups_that_are_learned(make_history, engine):
    # By what they pay: customers 8, 9 and 1 the least, 6, 7 and 2 the most.
    bought = [(5, c, a) for c in (8, 9) for a in (10, 20)] + [(5, c, a) for c in (6, 7) for a in (10, 30)]
    others = [(5, c, 50) for c in range(20, 24)]
    asking = [(2, c, 10) for c in (1, 2)]
    rows = [*bought, *others, *asking]
    paid = dict.fromkeys((8, 9, 1), 100) | dict.fromkeys((6, 7, 2), 900) | dict.fromkeys(range(20, 24), 500)
    history = make_history(rows, prices=[paid[c] for _, c, _ in rows])
    part = ItemCF(by="price_level", support=1)
    assert proposed(part, history, engine, [1, 2]) == {1: [20], 2: [30]}


def test_two_customers_of_different_groups_are_not_enough_support(make_history, engine):
    history = make_history([*PAIR, (4, 1, 10)], customers={8: {"age": 25}, 9: {"age": 60}, 1: {"age": 25}})
    assert proposed(ItemCF(), history, engine) == {1: [20]}
    assert proposed(ItemCF(by="age_band"), history, engine) == {1: []}


def test_it_needs_the_column_of_its_groups():
    assert ItemCF().needs() == frozenset()
    assert ItemCF(by="price_level").needs() == {"price"}
    assert ItemCF(by="postal_code").needs() == {"postal_code"}
    with pytest.raises(ValidationError, match="'department' is not an attribute of customers; choose from age_band"):
        ItemCF(by="department")


def test_without_its_own_weights_it_ranks_as_copurchase(make_history, engine):
    """Buyers are equally busy and articles equally popular, so the rules differ only by constant factors."""
    bought = [(9, c, 10) for c in (8, 9)] + [(12 - k, c, 20 + k) for c in (8, 9) for k in range(6)]
    history = make_history([*bought, (2, 1, 10)])
    shared = {"gap": 0.8, "backwards": 0.5, "on_sale": 14}
    found = proposed(ItemCF(**shared, pair_half_life=1e9), history, engine)
    assert found == proposed(CoPurchase(**shared), history, engine)
    assert sorted(found[1]) == [20, 21, 22, 23, 24, 25]


def test_a_customer_without_purchases_gets_nothing(make_history, engine):
    assert proposed(ItemCF(), make_history(PAIR, customers={1: {}}), engine) == {1: []}
