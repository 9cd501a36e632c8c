"""Alternating least squares: a customer's vector solves the equations, finds their taste, and may be missing."""

import dataclasses

import kit
import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.plans import TODAY
from hmgpu.parts.retrievers.als import ALS

CPU = Engine("cpu", "tests")
pytestmark = pytest.mark.usefixtures("fitted_by")


def vectors(table: pl.LazyFrame, prefix: str) -> np.ndarray:
    return table.collect().select(pl.col(f"^{prefix}.*$")).to_numpy().astype(float)


def test_it_finds_what_customers_of_the_same_taste_buy(times_popular):
    assert times_popular(ALS(n=15, factors=8)) > 2


def test_a_customers_vector_solves_the_normal_equations(tasteful):
    part = kit.bound(ALS(factors=8, alpha=3.0, l2=0.5, half_life=10.0), tasteful, CPU)
    learned = kit.learned(part, tasteful, CPU)
    items = vectors(learned["factors"], "factor")
    places = {article: place for place, article in enumerate(learned["factors"].collect()["article"])}
    own = learned["customers"].collect()
    for customer in (0, 1, 77):
        bought = tasteful.transactions.filter(pl.col("customer") == customer).collect()
        confidence = np.ones(len(items))
        preferred = np.zeros(len(items))
        weights: dict[int, float] = {}
        for day, article in bought.select("day", "article").iter_rows():
            weights[article] = weights.get(article, 0.0) + round(0.5 ** ((tasteful.cutoff - day) / 10) * TODAY) / TODAY
        for article, weight in weights.items():
            confidence[places[article]], preferred[places[article]] = 3.0 * weight, 1.0
        left = items.T @ (items * confidence[:, None]) + 0.5 * np.eye(8)
        solved = np.linalg.solve(left, items.T @ (confidence * preferred))
        expected = solved / np.linalg.norm(solved)
        kept = own.filter(pl.col("customer") == customer).select(pl.col("^v.*$")).to_numpy()[0] / 2048
        assert kept == pytest.approx(expected, abs=1e-3)


def test_only_what_is_on_sale_is_retrieved_and_everything_is_described(make_history):
    history = make_history([(50, 0, 1), (50, 1, 1), (2, 0, 2), (2, 1, 2), (2, 1, 3)])
    part = ALS(factors=2, n=5)
    assert set(kit.proposed(part, history, CPU, [0])[0]) == {2, 3}
    described = kit.described(part, history, CPU, [(0, 1), (0, 2), (0, 9), (7, 2)])
    assert described[0, 1]["als_dot"] is not None
    assert described[0, 9] == described[7, 2] == {"als_dot": None}


def test_a_customer_without_recent_purchases_gets_nothing(make_history):
    history = make_history([(61, 0, 1), (60, 1, 1), (1, 1, 2)])
    assert kit.proposed(ALS(factors=2), history, CPU, [0, 1, 5]).items() >= {0: [], 5: []}.items()
    assert kit.proposed(ALS(factors=2), make_history([(61, 0, 1)]), CPU, [0])[0] == []


def test_the_seed_alone_decides_the_vectors(tasteful):
    part = kit.bound(ALS(factors=8), tasteful, CPU)
    parts = [part, part.bind(part.context), part.bind(dataclasses.replace(part.context, seed=part.context.seed + 1))]
    first, again, other = (kit.learned(each, tasteful, CPU)["articles"].collect() for each in parts)
    assert again.equals(first)
    assert not other.equals(first)
