"""The nearest articles, against products worked out by hand and against every pair."""

import numpy as np
import polars as pl
import pytest
from small_run import ARTICLES
from small_world import article_id

from hmgpu.core.errors import DataError
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.similar import Space, Spaces


def space(rows: list[tuple[int, float, float, int]]) -> Space:
    table = pl.DataFrame(rows, schema=["article", "v000", "v001", "on_sale"], orient="row")
    return Space.of(table.with_columns((pl.col("v000", "v001") * 2048).round().cast(pl.Int16)))


def test_cosines_are_those_of_the_directions():
    found = space([(7, 1, 0, 1), (3, 0.3, 0.4, 1), (5, 0, -0.5, 1), (2, 0.5, 0, 1)]).nearest(7, 3)
    assert [article for article, _ in found] == [2, 3, 5]
    assert [cosine for _, cosine in found] == pytest.approx([1.0, 0.6, 0.0], abs=1e-3)


def test_only_what_is_on_sale_is_offered_and_ties_go_to_the_smaller_key():
    near = space([(9, 1, 0, 1), (4, 1, 0, 0), (6, 1, 0, 1), (5, 1, 0, 1), (8, 1, 0, 1), (1, 0, 1, 1)])
    assert [article for article, _ in near.nearest(4, 3)] == [5, 6, 8]  # asked for itself, it needn't be on sale
    assert [article for article, _ in near.nearest(5, 9)] == [6, 8, 9, 1]
    assert near.nearest(2, 3) is None


def test_every_pair_of_many_vectors():
    random = np.random.default_rng(1)
    table = pl.DataFrame(random.normal(size=(60, 4)), schema=[f"v{place:03}" for place in range(4)])
    table = table.with_columns(article=pl.int_range(pl.len(), dtype=pl.Int32))
    all_ = Space.of(table)
    unit = table.drop("article").to_numpy()
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    for article in range(60):
        cosines = unit @ unit[article]
        cosines[article] = -np.inf
        found = all_.nearest(article, 5)
        assert [cosine for _, cosine in found] == pytest.approx(sorted(cosines, reverse=True)[:5], abs=2e-3)


def test_a_run_has_the_spaces_of_its_retrievers(make_run):
    spaces = Spaces.read(FinishedRun.open(make_run()), None)
    name, found = spaces.nearest(article_id(4), 3)
    assert name == "als"
    assert [article for article, _ in found] == [article_id(each) for each in (1, 2, 3)]  # all of one direction
    assert len(spaces.nearest(article_id(4), 99, "als")[1]) == ARTICLES - 1
    with pytest.raises(DataError, match="'bpr' is not a space of vectors: there are als"):
        spaces.nearest(article_id(4), 3, "bpr")
    with pytest.raises(DataError, match="article 'x' is not in the run"):
        spaces.nearest("x", 3)
