"""Reduced vectors: articles that were near each other stay near, as far as so few numbers allow."""

import numpy as np
import polars as pl
import pytest

from hmgpu.parts.models.space.reduced import components, reduced
from hmgpu.testing.histories import vector_table


def lengths(vectors: pl.DataFrame) -> list[float]:
    return (np.linalg.norm(vectors.drop("article").to_numpy().astype(float), axis=1) / 2048).tolist()


def dot(vectors: pl.DataFrame, first: int, second: int) -> float:
    one, other = (vectors.filter(pl.col("article") == each).drop("article").to_numpy()[0] for each in (first, second))
    return float(one.astype(float) @ other.astype(float)) / 2048**2


def test_in_a_plane_of_four_dimensions_two_are_enough():
    """All vectors lie in the plane of (1, 1, 0, 0) and (0, 0, 1, 1), so every cosine survives."""
    half = 0.5**0.5
    given = {1: (half, half, 0, 0), 2: (0, 0, half, half), 3: (0.5, 0.5, 0.5, 0.5), 7: (-0.5, -0.5, 0.5, 0.5)}
    vectors = vector_table(given)
    short = reduced(vectors, 2)
    assert short.columns == ["article", "v000", "v001"]
    assert short["article"].to_list() == [1, 2, 3, 7]
    assert lengths(short) == pytest.approx([1.0] * 4, abs=1e-3)
    for first, second in ((1, 2), (1, 3), (2, 7), (3, 7)):
        assert dot(short, first, second) == pytest.approx(dot(vectors, first, second), abs=2e-3)


def test_short_vectors_stay_as_they_are():
    vectors = vector_table({1: (1.0, 0.0), 2: (0.6, 0.8)})
    assert reduced(vectors, 2).equals(vectors)
    assert reduced(vectors, 64).equals(vectors)
    empty = vectors.head(0)
    assert reduced(empty, 1).equals(empty)


def test_fewer_articles_than_dimensions():
    vectors = vector_table({4: (0.6, 0.0, 0.8, 0.0)})
    short = reduced(vectors, 3)
    assert short.width == 4
    assert lengths(short) == pytest.approx([1.0], abs=1e-3)


def test_the_largest_singular_vectors_to_the_last_digits_with_one_sign():
    """Where they are nearly as large, a randomised decomposition is off in the third digit."""
    rows = np.random.default_rng(1).normal(size=(400, 120))
    _, values, vectors = np.linalg.svd(rows, full_matrices=False)
    found = components(rows.T @ rows, 4)
    assert np.abs(np.sum(found * vectors[:4].T, axis=0)) == pytest.approx(np.ones(4), abs=1e-12)
    assert np.linalg.norm(rows @ found, axis=0) == pytest.approx(values[:4], rel=1e-9)
    assert (found[np.abs(found).argmax(axis=0), np.arange(4)] > 0).all()
