"""Retrieving the nearest articles on sale, and describing any pair, with any kind of vectors."""

import polars as pl
import pytest
from kit import bound

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.parts.models.space.embedding import EmbeddingWithLatest

CPU = Engine("cpu", "tests")


class Plane(EmbeddingWithLatest):
    """Vectors of two numbers."""

    n: int = 2

    def compute(self, learned, pairs):
        return self.near(learned, pairs, "dot")


def table(key: str, vectors: dict[int, tuple[float, float]]) -> pl.LazyFrame:
    rows = [(name, *(round(x * STEPS) for x in vector)) for name, vector in vectors.items()]
    return pl.LazyFrame(rows, {key: pl.Int32, "v000": pl.Int16, "v001": pl.Int16}, orient="row")


@pytest.fixture
def space(make_history):
    """Articles 1, 3 and 4 sold in the last 28 days; 2 sold before."""
    history = make_history([(28, 9, 1), (29, 9, 2), (1, 9, 3), (1, 9, 4)])
    part = bound(Plane(), history, CPU)
    vectors = table("article", {1: (0.5, 0.0), 2: (1.0, 0.0), 3: (0.0, 1.0), 4: (-1.0, 0.0), 5: (1.0, 0.0)})
    return part, {"articles": part.marked(vectors, history), "customers": table("customer", {7: (1.0, 0.0)})}


def test_articles_that_sold_lately_may_be_retrieved(space):
    _, learned = space
    marks = CPU.collect(learned["articles"].select("article", "on_sale"))
    assert marks.schema["on_sale"] == pl.Int8
    assert marks.rows() == [(1, 1), (2, 0), (3, 1), (4, 1), (5, 0)]


def test_the_nearest_on_sale_go_to_customers_with_a_vector(space):
    part, learned = space
    asked = pl.LazyFrame({"customer": [7, 8]}, schema={"customer": pl.Int32})
    found = CPU.collect(part.retrieve(learned, asked))
    assert found.select("customer", "article", "score", "rank").rows() == [(7, 1, 0.5, 1), (7, 3, 0.0, 2)]


def test_any_pair_is_described_on_sale_or_not(space):
    part, learned = space
    pairs = pl.LazyFrame(
        {"customer": [7, 7, 8], "article": [2, 6, 2]}, schema={"customer": pl.Int32, "article": pl.Int32}
    )
    assert CPU.collect(part.compute(learned, pairs))["dot"].to_list() == [1.0, None, None]


def test_a_candidate_is_compared_with_each_of_the_latest_articles(make_history):
    """Customer 7 bought 3, before it 4 and, longer ago, 1; customer 8 bought nothing with a vector."""
    history = make_history([(9, 7, 1), (2, 7, 4), (1, 7, 3), (1, 8, 6)])
    vectors = table("article", {1: (0.5, 0.0), 2: (1.0, 0.0), 3: (0.0, 1.0), 4: (-1.0, 0.0)})
    pairs = pl.LazyFrame(
        {"customer": [7, 7, 7, 8], "article": [2, 3, 5, 2]}, schema={"customer": pl.Int32, "article": pl.Int32}
    )

    def compared(latest: int) -> pl.DataFrame:
        part = bound(Plane(latest=latest), history, CPU)
        learned = {"articles": part.marked(vectors, history)}
        learned |= part.bought_latest(learned, history)
        return CPU.collect(part.with_latest(pairs, learned, "closest"))

    assert compared(2)["closest"].to_list() == [0.0, 1.0, None, None]  # with 3: 0 and 1; with 4: -1 and 0
    assert compared(3)["closest"].to_list() == [0.5, 1.0, None, None]
    assert compared(0).columns == ["customer", "article"]
    old = make_history([(92, 7, 1)])
    assert CPU.collect(bound(Plane(latest=1), old, CPU).bought_latest({"articles": vectors}, old)["latest"]).is_empty()
