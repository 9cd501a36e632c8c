"""Other colours and variants of what the customer bought."""

import polars as pl
from kit import proposed

from hmgpu.parts.retrievers.same_product import SameProduct
from hmgpu.pipeline.learn import all_learned

PRODUCTS = {10: 1, 11: 1, 12: 1, 20: 2, 21: 2, 30: None, 31: None}


def history_with_products(make_history, bought):
    return make_history(bought, articles={a: {"product": p} for a, p in PRODUCTS.items()})


def test_other_articles_of_the_product_best_seller_first(make_history, engine):
    history = history_with_products(make_history, [(9, 1, 10), (3, 8, 11), (3, 8, 12), (3, 9, 12), (3, 9, 21)])
    assert proposed(SameProduct(), history, engine) == {1: [12, 11]}


def test_never_what_the_customer_has(make_history, engine):
    history = history_with_products(make_history, [(9, 1, 10), (9, 1, 12), (3, 8, 10), (3, 8, 11), (3, 8, 12)])
    assert proposed(SameProduct(), history, engine) == {1: [11]}


def test_the_liking_of_the_product_weighs_more_than_sales(make_history, engine):
    # Half-life 21: product 1 was bought 42 days ago (0.25) and its 11 sold 4 times: 0.25 × 2 = 0.5.
    # Product 2 was bought 21 days ago (0.5) and its 21 sold twice: 0.5 × 1.41 = 0.71.
    history = history_with_products(make_history, [(42, 1, 10), (21, 1, 20), *[(3, 8, 11)] * 4, *[(3, 8, 21)] * 2])
    assert proposed(SameProduct(half_life=21), history, engine) == {1: [21, 11]}
    # With 17 sales of 11 it is 0.25 × 4.12 = 1.03 against 0.71.
    history = history_with_products(make_history, [(42, 1, 10), (21, 1, 20), *[(3, 8, 11)] * 17, *[(3, 8, 21)] * 2])
    assert proposed(SameProduct(half_life=21), history, engine) == {1: [11, 21]}


def test_only_what_is_on_sale(make_history, engine):
    history = history_with_products(make_history, [(9, 1, 10), (14, 8, 11), (15, 8, 12)])
    assert proposed(SameProduct(on_sale=14), history, engine) == {1: [11]}


def test_purchases_count_no_further_back_than_days(make_history, engine):
    history = history_with_products(make_history, [(30, 1, 10), (31, 2, 10), (3, 8, 11)])
    assert proposed(SameProduct(days=30), history, engine, [1, 2]) == {1: [11], 2: []}


def test_articles_without_a_product_have_no_variants(make_history, engine):
    history = history_with_products(make_history, [(9, 1, 30), (3, 8, 31)])
    assert proposed(SameProduct(), history, engine) == {1: []}


def test_variants_and_candidates_are_cut_with_ties_on_the_article(make_history, engine):
    history = history_with_products(make_history, [(30, 1, 10), (30, 1, 20), (3, 8, 12), (3, 8, 11), (3, 8, 21)])
    assert proposed(SameProduct(variants=1), history, engine) == {1: [11, 21]}
    assert proposed(SameProduct(n=2), history, engine) == {1: [11, 12]}


def test_it_needs_products():
    assert SameProduct().needs() == {"product"}


def test_it_names_the_latest_purchase_of_the_product(make_history, engine):
    history = history_with_products(make_history, [(30, 1, 10), (9, 1, 11), (9, 2, 20), (3, 8, 12), (3, 8, 21)])
    part, pairs = SameProduct(), pl.LazyFrame({"customer": [1, 2], "article": [12, 21]}).cast(pl.Int32)
    found = part.because(all_learned(part, history, history, engine), pairs, history)
    assert sorted(engine.collect(found).rows()) == [(1, 12, 11), (2, 21, 20)]
    # Both on one day: the smaller article.
    history = history_with_products(make_history, [(9, 1, 11), (9, 1, 10), (3, 8, 12)])
    found = part.because(all_learned(part, history, history, engine), pairs.filter(customer=1), history)
    assert engine.collect(found).rows() == [(1, 12, 10)]
