"""Coordinates within strata: a planted style is found; popularity, categories, weeks and chance are not styles."""

import numpy as np
import polars as pl
import pytest
from scipy.sparse import linalg

from hmgpu.parts.models.space.correspondence import _turned, coordinates

CUSTOMERS, ARTICLES, BOUGHT = 400, 24, 16


def planted_purchases(styled: bool, seed: int = 0) -> pl.DataFrame:
    """Return purchases in four strata of six articles each, of unequal popularity; every other article is of style 1.

    Even customers prefer style 0 and odd ones style 1 (nine times in ten) if `styled`. Each customer has a favourite
    stratum.
    """
    draw = np.random.default_rng(seed)
    popular = draw.uniform(1, 5, ARTICLES)
    rows = []
    for customer in range(CUSTOMERS):
        for _ in range(BOUGHT):
            stratum = customer // 2 % 4 if draw.random() < 0.6 else int(draw.integers(4))
            articles = np.arange(stratum * 6, stratum * 6 + 6)
            liked = np.where(articles % 2 == customer % 2, 9.0, 1.0) if styled else 1.0
            weights = popular[articles] * liked
            rows.append((customer, int(draw.choice(articles, p=weights / weights.sum())), stratum))
    schema = {"customer": pl.Int32, "article": pl.Int32, "stratum": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def vectors(table: pl.DataFrame) -> np.ndarray:
    return table.drop("article").to_numpy()


def log_ratios(bought: pl.DataFrame, found: pl.DataFrame, calm: float) -> np.ndarray:
    """Return (customers, articles): how much more often each customer buys each article, by the formula documented."""
    known = bought.join(found, on="article")
    away = known.with_columns(pl.col("^x.*$") - pl.col("^x.*$").mean().over("stratum"))
    sums = away.group_by("customer").agg(pl.col("^x.*$").sum(), bought=pl.len()).sort("customer")
    means = sums.select("^x.*$").to_numpy() / (sums["bought"].to_numpy()[:, None] + calm)
    return means @ vectors(found).T


def test_a_planted_style_is_found_and_measured() -> None:
    bought = planted_purchases(styled=True)
    found = coordinates(bought, 1, 1.0, seed=0)
    assert found["article"].to_list() == list(range(ARTICLES))
    style = vectors(found)[:, 0]
    assert len(set(np.sign(style[::2]))) == len(set(np.sign(style[1::2]))) == 1
    ratios = log_ratios(bought, found, 1.0)
    even, odd = ratios[::2].mean(axis=0), ratios[1::2].mean(axis=0)
    # Nine times likelier, so the logarithm of the ratio of two articles is 2.2 for one and -2.2 for the other.
    assert (even[::2] - even[1::2]).mean() == pytest.approx(np.log(9), rel=0.35)
    assert (odd[::2] - odd[1::2]).mean() == pytest.approx(-np.log(9), rel=0.35)


def test_neither_popularity_nor_a_favourite_stratum_is_a_taste() -> None:
    found = [
        np.abs(log_ratios(bought, coordinates(bought, 3, 5.0, seed=0), 5.0))
        for bought in map(planted_purchases, (True, False))
    ]
    styled, chance = (ratios.mean() for ratios in found)
    assert styled > 0.5
    assert chance < 0.1


def test_the_same_rows_in_any_order_give_the_same_numbers() -> None:
    bought = planted_purchases(styled=True).head(500)
    first, again = (
        coordinates(rows, 2, 5.0, seed=3) for rows in (bought, bought.sample(fraction=1, shuffle=True, seed=1))
    )
    assert again.equals(first)


def test_few_rows_have_few_dimensions() -> None:
    bought = planted_purchases(styled=True)
    two = bought.filter(pl.col("customer") < 2)
    assert coordinates(two, 8, 5.0, seed=0).width == 2
    assert coordinates(bought.filter(pl.col("customer") < 1), 8, 5.0, seed=0).columns == ["article"]
    assert coordinates(bought.clear(), 8, 5.0, seed=0).is_empty()


def test_where_a_stratum_leaves_no_choice_there_are_no_differences() -> None:
    bought = planted_purchases(styled=True).with_columns(stratum=pl.col("article").cast(pl.Int64))
    assert vectors(coordinates(bought, 2, 5.0, seed=0)) == pytest.approx(0, abs=1e-6)


def test_which_way_the_axes_are_found_to_point_changes_nothing(monkeypatch) -> None:
    bought = planted_purchases(styled=True)
    found = coordinates(bought, 3, 1.0, seed=0)
    svds = linalg.svds

    def turned(*given, **settings):
        left, strengths, axes = svds(*given, **settings)
        return -left, strengths, -axes

    monkeypatch.setattr(linalg, "svds", turned)
    assert coordinates(bought, 3, 1.0, seed=0).equals(found)


def test_two_articles_as_far_out_on_opposite_sides_do_not_let_rounding_decide() -> None:
    axis = np.array([[0.1], [-0.7], [0.7], [0.1]])
    rounding = np.array([[0], [0], [1e-15], [0]])
    rounded = [axis, -axis, axis + rounding, -axis - rounding, axis - rounding]
    assert all(np.sign(_turned(each))[:, 0].tolist() == [-1, 1, -1, -1] for each in rounded)
