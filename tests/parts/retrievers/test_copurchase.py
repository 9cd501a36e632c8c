"""Articles bought together with, or after, what the customer bought lately."""

import polars as pl
import pytest
from kit import proposed, scored

from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.copurchase import CoPurchase


def as_dicts(found: dict[int, list[tuple[int, int]]]) -> dict[int, dict[int, int]]:
    return {customer: dict(rows) for customer, rows in found.items()}


# Customers 8 and 9 bought 10 and, two days later, 20.
PAIR = [(5, 8, 10), (3, 8, 20), (5, 9, 10), (3, 9, 20)]


def test_what_others_bought_after_it_and_half_as_much_before_it(make_history, engine):
    history = make_history([*PAIR, (4, 1, 10), (4, 2, 20)])
    found = as_dicts(scored(CoPurchase(), history, engine, [1, 2]))
    assert {customer: list(articles) for customer, articles in found.items()} == {1: [20], 2: [10]}
    # All articles have three buyers and both seeds are equally old, so only the direction differs: weight 1 or 0.5.
    assert found[1][20] / found[2][10] == pytest.approx(2, rel=1e-4)


def test_best_sellers_of_the_week_may_be_the_seeds(make_history, engine):
    """They are everybody's seeds, also of customers without purchases; best sellers of eight days ago are not."""
    other = [(9, customer, 30) for customer in (5, 6, 7)] + [(8, customer, 40) for customer in (5, 6, 7)]
    history = make_history([*PAIR, *other], customers={4: {}})
    part = CoPurchase(seeds_from="popular", seeds=1, on_sale=14)
    assert proposed(part, history, engine, [4, 8]) == {4: [20], 8: [20]}
    assert proposed(CoPurchase(seeds_from="own", on_sale=14), history, engine, [4]) == {4: []}


def test_symmetric_when_backwards_is_one(make_history, engine):
    history = make_history([*PAIR, (4, 1, 10), (4, 2, 20)])
    found = as_dicts(scored(CoPurchase(backwards=1), history, engine, [1, 2]))
    assert found[1][20] == found[2][10]


def test_nothing_is_proposed_backwards_when_that_weighs_nothing(make_history, engine):
    found = proposed(CoPurchase(backwards=0), make_history([*PAIR, (4, 1, 10), (4, 2, 20)]), engine, [1, 2])
    assert found == {1: [20], 2: []}


def test_days_between_weigh_down(make_history, engine):
    # 20 is bought with 10 on the same day, 15 four days later: weights 1 and 0.9^4 = 0.6561, the same buyers.
    bought = [(9, c, 10) for c in (8, 9)] + [(9, c, 20) for c in (8, 9)] + [(5, c, 15) for c in (8, 9)]
    found = dict(scored(CoPurchase(gap=0.9, on_sale=14), make_history([*bought, (2, 1, 10)]), engine)[1])
    assert list(found) == [20, 15]
    assert found[15] / found[20] == pytest.approx(0.6561, rel=1e-4)


def test_the_best_seller_does_not_win_every_rule(make_history, engine):
    # All ten customers bought 99; 10 and 20 were bought by 8 and 9 only.
    # Cosine of 10 → 20: 2 / sqrt(3·2) = 0.82; of 10 → 99: 2 / sqrt(3·10) = 0.37 (customer 1 has 10 too).
    bought = [(5, c, a) for c in (8, 9) for a in (10, 20, 99)] + [(5, c, 99) for c in range(20, 28)]
    found = dict(scored(CoPurchase(), make_history([*bought, (5, 1, 10)]), engine)[1])
    assert list(found) == [20, 99]
    assert found[99] / found[20] == pytest.approx((2 / 10) ** 0.5, rel=1e-4)


def test_one_customer_is_not_enough_support(make_history, engine):
    history = make_history([(5, 8, 10), (5, 8, 20), (4, 1, 10)])
    assert proposed(CoPurchase(), history, engine) == {1: []}
    assert proposed(CoPurchase(support=1), history, engine) == {1: [20]}


def test_units_of_one_customer_are_not_enough_support(make_history, engine):
    history = make_history([(5, 8, 10), (5, 8, 20), (4, 8, 10), (4, 8, 20), (4, 1, 10)])
    assert proposed(CoPurchase(support=2), history, engine) == {1: []}


def test_what_stopped_selling_is_not_proposed(make_history, engine):
    bought = [(20, 8, 10), (20, 8, 20), (20, 9, 10), (20, 9, 20), (2, 1, 10)]
    assert proposed(CoPurchase(on_sale=14), make_history(bought), engine) == {1: []}
    assert proposed(CoPurchase(on_sale=20), make_history(bought), engine) == {1: [20]}


def test_pairs_are_read_no_further_back_than_days(make_history, engine):
    bought = [(15, 8, 10), (15, 8, 20), (15, 9, 10), (15, 9, 20), (2, 1, 10), (2, 7, 20)]
    assert proposed(CoPurchase(days=14), make_history(bought), engine) == {1: []}
    assert proposed(CoPurchase(days=15), make_history(bought), engine) == {1: [20]}


def test_only_the_latest_seeds_count(make_history, engine):
    other = [(6, c, a) for c in (6, 7) for a in (11, 21)]
    history = make_history([*PAIR, *other, (2, 1, 11), (9, 1, 10)])
    assert proposed(CoPurchase(seeds=1), history, engine) == {1: [21]}
    assert sorted(proposed(CoPurchase(seeds=2), history, engine)[1]) == [20, 21]
    assert proposed(CoPurchase(seeds=2, seed_days=8), history, engine) == {1: [21]}


def test_a_seed_loses_half_its_weight_every_half_life(make_history, engine):
    # Two equally strong rules, 10 → 20 and 11 → 21; seed 10 is 14 days old (weight 1/2), seed 11 is 28 days old (1/4).
    rules = [(13, c, a) for c in (6, 7) for a in (11, 21)] + [(13, c, a) for c in (8, 9) for a in (10, 20)]
    history = make_history([*rules, (14, 1, 10), (28, 1, 11)])
    found = dict(scored(CoPurchase(half_life=14), history, engine)[1])
    assert list(found) == [20, 21]
    assert found[21] / found[20] == pytest.approx(0.5, rel=0.02)  # a seed's weight has eight bits


def test_rules_add_up(make_history, engine):
    # Both seeds have a rule for 20, only one has a rule for 30.
    bought = [(5, c, a) for c in (8, 9) for a in (10, 11, 20)] + [(5, c, a) for c in (6, 7) for a in (10, 30)]
    assert proposed(CoPurchase(), make_history([*bought, (3, 1, 10), (3, 1, 11)]), engine)[1][0] == 20


def test_only_the_latest_articles_of_a_customer_form_pairs(make_history, engine):
    # 8 and 9 bought 10 first and 20, 30 later; with room for two articles each, 10 is in no pair.
    bought = [(9, c, 10) for c in (8, 9)] + [(5, c, a) for c in (8, 9) for a in (20, 30)]
    assert proposed(CoPurchase(per_customer=2), make_history([*bought, (3, 1, 10)]), engine) == {1: []}
    assert proposed(CoPurchase(per_customer=3), make_history([*bought, (3, 1, 10)]), engine) == {1: [20, 30]}


def test_rules_and_candidates_are_cut_with_ties_on_the_article(make_history, engine):
    bought = [(5, c, a) for c in (8, 9) for a in (10, 40, 20, 30)]
    history = make_history([*bought, (3, 1, 10)])
    assert proposed(CoPurchase(per_article=2), history, engine) == {1: [20, 30]}
    assert proposed(CoPurchase(n=1), history, engine) == {1: [20]}


def test_a_customer_without_purchases_gets_nothing(make_history, engine):
    assert proposed(CoPurchase(), make_history(PAIR, customers={1: {}}), engine) == {1: []}


def test_it_names_the_article_whose_rule_says_most(make_history, engine):
    """20 follows 10 and 15; customer 1 bought both, 15 a half-life later than 10."""
    history = make_history([*PAIR, (5, 8, 15), (5, 9, 15), (19, 1, 10), (5, 1, 15), (4, 2, 10)])
    part = CoPurchase().bind(PartContext(engine, 1, lambda: None))
    pairs = pl.LazyFrame({"customer": [1, 2], "article": [20, 20]}).cast(pl.Int32)
    learned = part.learn(history)
    found = part.because(learned | part.learn_customers(learned, history), pairs, history)
    assert sorted(engine.collect(found).rows()) == [(1, 20, 15), (2, 20, 10)]
    assert CoPurchase(seeds_from="popular").because({}, pairs, history) is None
