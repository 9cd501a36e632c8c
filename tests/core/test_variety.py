"""Measures of variety, each worked by hand."""

import math
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from hmgpu.core.variety import (
    fields_of,
    gini,
    head_of,
    intra_list_variety,
    novelty,
    popular_share,
    vector_variety,
)

PAIR = {"customer": pl.Int32, "article": pl.Int32}


def lists_of(*lists: list[int]) -> pl.DataFrame:
    rows = [(customer, article, place) for customer, each in enumerate(lists) for place, article in enumerate(each, 1)]
    return pl.DataFrame(rows, schema=PAIR | {"rank": pl.Int32}, orient="row")


def articles(**columns: list[int | None]) -> pl.DataFrame:
    return pl.DataFrame(columns).with_columns(pl.col("article").cast(pl.Int32))


def test_novelty_is_the_bits_that_an_article_says() -> None:
    # Of 8 customers 4 bought article 1 (1 bit) and 1 bought 2 (3 bits); nobody bought 3: as if one had.
    buyers = articles(article=[1, 2], buyers=[4, 1])
    assert novelty(lists_of([1, 2], [1, 3]), buyers, 8) == pytest.approx((1 + 3 + 1 + 3) / 4)
    assert novelty(lists_of(), buyers, 8) == 0


def test_variety_is_the_share_of_fields_that_pairs_differ_in() -> None:
    catalogue = articles(article=[1, 2, 3], kind=[7, 7, 8], colour=[1, None, None])
    # 1 and 2: colour; 1 and 3, 2 and 3: both, since what is unknown is like no other.
    assert intra_list_variety(lists_of([1, 2, 3]), catalogue) == pytest.approx((0.5 + 1 + 1) / 3)
    # A list of one article has no pairs, and doesn't count.
    assert intra_list_variety(lists_of([1, 2], [3]), catalogue) == pytest.approx(0.5)
    assert intra_list_variety(lists_of([3]), catalogue) == 0


def test_vector_variety_is_the_mean_of_one_minus_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hmgpu.core.variety.AT_ONCE", 4)  # several pieces
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(9, 5))
    table = pl.DataFrame({"article": np.arange(9, dtype=np.int32)} | {f"v{i}": vectors[:, i] for i in range(5)})
    lists = [[0, 1, 2], [3, 8], [4], [5, 6, 7, 40]]  # 40 has none
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    means = [
        np.mean([1 - unit[a] @ unit[b] for a, b in combinations([a for a in each if a < 9], 2)])
        for each in lists
        if len(each) > 1
    ]
    assert vector_variety(lists_of(*lists), table) == pytest.approx(np.mean(means), abs=1e-6)
    assert vector_variety(lists_of([4]), table) == 0


def test_the_head_is_the_fewest_articles_that_make_up_four_fifths() -> None:
    sold = articles(article=[4, 3, 2, 1], units=[5, 3, 1, 1])
    head = head_of(sold)
    assert sorted(head["article"]) == [3, 4]
    assert popular_share(lists_of([4, 3], [1, 2], [9, 4]), head) == pytest.approx(3 / 6)
    assert head_of(articles(article=[2, 1], units=[5, 5]))["article"].to_list() == [1, 2]


def test_gini_of_who_is_listed_how_often() -> None:
    on_sale = articles(article=[1, 2, 3, 4])
    assert gini(lists_of([1, 2], [3, 4]), on_sale) == 0
    # 0, 0, 0, 2: (−3·0 − 1·0 + 1·0 + 3·2) / (4·2).
    assert gini(lists_of([1], [1]), on_sale) == pytest.approx(6 / 8)
    # 0, 0, 0, 1, 1: article 9 is listed and not on sale.
    assert gini(lists_of([1, 9]), on_sale) == pytest.approx((2 + 4) / (5 * 2))
    assert gini(lists_of(), on_sale) == 0


def test_fields_with_a_single_value_say_nothing() -> None:
    catalogue = articles(article=[1, 2], one=[3, None], two=[1, 2])
    assert fields_of(catalogue, ["one", "two", "three"]).columns == ["article", "two"]
    assert math.isclose(intra_list_variety(lists_of([1, 2]), catalogue.select("article", "two")), 1)
