"""Ranking metrics against hand-worked cases, Kaggle's definition and scikit-learn."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from hmgpu.core.metrics import (
    average_precision,
    coverage,
    hit_rate_at,
    map_at,
    ndcg_at,
    precision_at,
    recall_at,
)

Lists = dict[int, list[int]]
Bought = dict[int, set[int]]


def predictions(lists: Lists) -> pl.DataFrame:
    """Lists of articles by customer as the table (customer, article, rank)."""
    rows = [
        (customer, article, rank) for customer, articles in lists.items() for rank, article in enumerate(articles, 1)
    ]
    return pl.DataFrame(rows, schema={"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}, orient="row")


def labels(bought: Bought) -> pl.DataFrame:
    """Bought articles by customer as the table (customer, article)."""
    rows = [(customer, article) for customer, articles in bought.items() for article in sorted(articles)]
    return pl.DataFrame(rows, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")


def kaggle_map(lists: Lists, bought: Bought, k: int = 12) -> float:
    """Mean over the buyers of the precision at each hit, summed, divided by min(bought, k); repeats score once."""
    total = 0.0
    for customer, articles in bought.items():
        hits, score, seen = 0, 0.0, set()
        for place, article in enumerate(lists.get(customer, [])[:k], 1):
            if article in articles and article not in seen:
                hits += 1
                score += hits / place
            seen.add(article)
        total += score / min(len(articles), k)
    return total / len(bought) if bought else 0.0


lists_of = st.dictionaries(st.integers(1, 5), st.lists(st.integers(1, 25), max_size=16), max_size=5)
bought_of = st.dictionaries(st.integers(1, 6), st.sets(st.integers(1, 25), min_size=1, max_size=16), max_size=6)


@settings(max_examples=150, deadline=None)
@given(lists=lists_of, bought=bought_of, k=st.sampled_from([1, 5, 12]))
def test_map_is_kaggles(lists, bought, k):
    assert map_at(predictions(lists), labels(bought), k) == pytest.approx(kaggle_map(lists, bought, k), abs=1e-12)


def test_hits_weigh_by_their_place():
    # Bought {1, 2, 3}; hits at places 1 and 3: (1/1 + 2/3) / 3.
    assert map_at(predictions({7: [1, 9, 3]}), labels({7: {1, 2, 3}})) == pytest.approx((1 + 2 / 3) / 3)


def test_order_of_hits_does_not_matter_but_their_place_does():
    bought = labels({7: {1, 2}})
    assert map_at(predictions({7: [1, 2, 9]}), bought) == map_at(predictions({7: [2, 1, 9]}), bought) == 1
    assert map_at(predictions({7: [9, 1, 2]}), bought) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_a_repeated_article_scores_once_and_keeps_its_places():
    # Places 1 and 2 are the same hit; the next hit is the second, at place 3: (1 + 2/3) / 2.
    assert map_at(predictions({7: [1, 1, 2]}), labels({7: {1, 2}})) == pytest.approx((1 + 2 / 3) / 2)
    assert map_at(predictions({7: [1] * 12}), labels({7: {1, 2}})) == pytest.approx(1 / 2)


def test_a_buyer_without_prediction_counts_and_a_predicted_non_buyer_does_not():
    # Customer 7 has 1, customer 8 bought but got no list: 0. Customer 9 bought nothing.
    found = average_precision(predictions({9: [1], 7: [1]}), labels({7: {1}, 8: {1}}))
    assert found.rows() == [(7, 1.0), (8, 0.0)]
    assert map_at(predictions({9: [1], 7: [1]}), labels({7: {1}, 8: {1}})) == 0.5


def test_more_than_twelve_bought_can_be_perfect():
    everything = set(range(1, 21))
    assert map_at(predictions({7: list(range(1, 13))}), labels({7: everything})) == pytest.approx(1)
    # Six of twelve places hit from the top, of twenty bought: 6 / 12, not 6 / 20.
    half = [*range(1, 7), *range(101, 107)]
    assert map_at(predictions({7: half}), labels({7: everything})) == pytest.approx(0.5)


def test_what_comes_after_twelve_does_not_count():
    assert map_at(predictions({7: [*range(100, 112), 1]}), labels({7: {1}})) == 0


def test_the_order_of_rows_decides_nothing():
    shown = predictions({7: [5, 1, 6, 2], 8: [3, 1]})
    bought = labels({7: {1, 2}, 8: {1}})
    assert map_at(shown.reverse(), bought.reverse()) == map_at(shown, bought) == pytest.approx((0.5 + 0.5) / 2)


def test_nobody_bought():
    shown, none = predictions({7: [1]}), labels({})
    found = [map_at(shown, none), ndcg_at(shown, none), hit_rate_at(shown, none), recall_at(shown, none, 5)]
    assert found == [0, 0, 0, 0]
    assert average_precision(shown, none).height == 0
    assert precision_at(shown, none) == 0


def test_nothing_predicted():
    none, bought = predictions({}), labels({7: {1}})
    assert [map_at(none, bought), ndcg_at(none, bought), hit_rate_at(none, bought), recall_at(none, bought, 5)] == [
        0
    ] * 4
    assert precision_at(none, bought) == 0
    assert coverage(none, pl.DataFrame({"article": [1]}, schema={"article": pl.Int32})) == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.sampled_from([3, 12]))
def test_ndcg_is_scikit_learns(seed, k):
    random = np.random.default_rng(seed)
    articles, customers = 20, 4
    orders = np.array([random.permutation(articles) for _ in range(customers)])
    relevant = random.random((customers, articles)) < 0.3
    relevant[:, 0] = True
    scores = np.empty((customers, articles))
    np.put_along_axis(scores, orders, np.arange(articles, 0, -1, dtype=float)[None, :].repeat(customers, 0), axis=1)
    shown = predictions({customer: orders[customer, :15].tolist() for customer in range(customers)})
    bought = labels({customer: set(np.flatnonzero(relevant[customer]).tolist()) for customer in range(customers)})
    assert ndcg_at(shown, bought, k) == pytest.approx(ndcg_score(relevant, scores, k=k), abs=1e-12)


def test_ndcg_by_hand():
    # One of two bought, at place 3: (1 / log2 4) / (1 / log2 2 + 1 / log2 3) = 0.5 / 1.63093.
    assert ndcg_at(predictions({7: [8, 9, 1]}), labels({7: {1, 2}})) == pytest.approx(0.5 / (1 + 1 / np.log2(3)))


def test_hit_rate_is_of_buyers():
    # 7 has a hit in the first two, 8 only at place 3, 6 has no list; 9 bought nothing.
    shown = predictions({7: [1, 2], 8: [4, 5, 1], 9: [1]})
    bought = labels({7: {1, 2}, 8: {1}, 6: {1}})
    assert hit_rate_at(shown, bought, 2) == pytest.approx(1 / 3)
    assert hit_rate_at(shown, bought, 3) == pytest.approx(2 / 3)


def test_recall_is_of_pairs():
    # Four pairs were bought; found within two places: (7, 1); within three also (7, 2).
    shown = predictions({7: [1, 9, 2], 9: [1]})
    bought = labels({7: {1, 2, 3}, 8: {1}})
    assert recall_at(shown, bought, 2) == pytest.approx(1 / 4)
    assert recall_at(shown, bought, 3) == pytest.approx(2 / 4)


def test_precision_is_of_places():
    # Six places in lists of two for three buyers: hits (7, 1) and (8, 5); the repeat fills none, 9 bought nothing.
    shown = predictions({7: [1, 1, 2], 8: [4, 5], 9: [1, 2]})
    bought = labels({7: {1, 2}, 8: {5}, 6: {1}})
    assert precision_at(shown, bought, 2) == pytest.approx(2 / 6)
    assert precision_at(shown, bought, 3) == pytest.approx(3 / 9)


def test_coverage_is_of_what_is_on_sale():
    on_sale = pl.DataFrame({"article": [1, 2, 3, 4]}, schema={"article": pl.Int32})
    assert coverage(predictions({7: [1, 99], 8: [1, 2]}), on_sale) == 0.5
    assert coverage(predictions({7: [1]}), on_sale.clear()) == 0
