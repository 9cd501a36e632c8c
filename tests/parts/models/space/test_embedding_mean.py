"""Customers as the mean of the articles that they bought, with given vectors of articles."""

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.parts.models.space.embedding_mean import EmbeddingMean

CPU = Engine("cpu", "tests")
VECTORS = {1: (1.0, 0.0), 2: (0.0, 1.0), 3: (0.6, 0.8), 4: (-1.0, 0.0)}


class Given(EmbeddingMean):
    """Articles 1 to 4 in the plane."""

    def vectors(self, history):
        rows = [(article, *(round(x * STEPS) for x in vector)) for article, vector in VECTORS.items()]
        schema = {"article": pl.Int32, "v000": pl.Int16, "v001": pl.Int16}
        return pl.DataFrame(rows, schema, orient="row")


def described(part: EmbeddingMean, history, pairs) -> dict[tuple[int, int], tuple[float | None, ...]]:
    """Return for each pair the dot product with the mean, and the largest one with one of the latest articles."""
    found = kit.described(part, history, CPU, pairs)
    return {pair: tuple(columns.values()) for pair, columns in found.items()}


@pytest.fixture
def history(make_history):
    """Customer 5 bought articles 1 and 2 on one day, customer 6 article 4 and one without a vector long before."""
    return make_history([(3, 5, 1), (3, 5, 2), (3, 6, 4), (80, 6, 9), (1, 7, 3), (1, 8, 9), (200, 9, 1)])


def test_the_mean_is_of_length_one_and_compared_with_any_candidate(history):
    found = described(Given(), history, [(5, 1), (5, 3), (6, 1), (6, 4), (5, 9), (8, 1), (9, 1)])
    half = 0.5**0.5
    assert found[5, 1] == (pytest.approx(half, abs=1e-3), pytest.approx(1.0, abs=1e-3))
    assert found[5, 3] == (pytest.approx(1.4 * half, abs=1e-3), pytest.approx(0.8, abs=1e-3))
    assert found[6, 1] == (pytest.approx(-1.0, abs=1e-3), pytest.approx(-1.0, abs=1e-3))
    # No vector of candidate 9; none of what customer 8 bought; and customer 9 bought nothing lately.
    assert found[5, 9] == found[8, 1] == found[9, 1] == (None, None)


def test_newer_purchases_weigh_more(make_history):
    """A purchase one half-life older weighs half: the mean of (1, 0) and half of (0, 1)."""
    history = make_history([(1, 5, 1), (15, 5, 2)])
    found = described(Given(half_life=14.0), history, [(5, 1), (5, 2)])
    assert found[5, 1][0] == pytest.approx(2 / 5**0.5, abs=1e-3)
    assert found[5, 2][0] == pytest.approx(1 / 5**0.5, abs=1e-3)
