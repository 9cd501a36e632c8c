"""Classes of articles by k-means: planted ones are found, by the same call on either engine, in any order of rows."""

import sys
from types import ModuleType

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.cluster import KMeans

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.parts.models.space.clusters import by_cuml, by_scikit_learn, clusters
from hmgpu.parts.models.space.topk import vectors_of

CPU = Engine("cpu", "tests")
GROUPS, ARTICLES = 5, 300


@pytest.fixture(scope="module")
def vectors() -> pl.DataFrame:
    """Article a is near the centre a % 5, in 16 dimensions."""
    draw = np.random.default_rng(2)
    centres = draw.normal(size=(GROUPS, 16))
    points = torch.from_numpy(centres[np.arange(ARTICLES) % GROUPS] + draw.normal(size=(ARTICLES, 16)) * 0.3)
    return quantised(torch.arange(ARTICLES), torch.nn.functional.normalize(points, dim=1), "article")


def test_planted_classes_are_found(vectors):
    found = clusters(vectors, GROUPS, 1, CPU)
    assert found.schema == {"article": pl.Int32, "class": pl.Int32}
    assert found["article"].to_list() == list(range(ARTICLES))
    alike = found.group_by(pl.col("article") % GROUPS).agg(pl.col("class").n_unique(), first=pl.col("class").first())
    assert set(alike["class"]) == {1}
    assert set(alike["first"]) == set(range(GROUPS))


def test_the_order_of_rows_changes_nothing_and_the_seed_does(vectors):
    found = clusters(vectors, 12, 1, CPU)
    assert clusters(vectors.sample(fraction=1.0, shuffle=True, seed=1), 12, 1, CPU).equals(found)
    assert not clusters(vectors, 12, 2, CPU).equals(found)


def test_there_are_never_more_classes_than_different_vectors(vectors):
    twice = vectors.head(3).join(pl.DataFrame({"copy": [0, 1]}), how="cross")
    twice = twice.with_columns(article=pl.int_range(6, dtype=pl.Int32)).drop("copy")
    assert clusters(twice, 50, 1, CPU)["class"].n_unique() == 3
    for alike in (vectors.head(1), vectors.select("article"), vectors.clear()):
        assert clusters(alike, 50, 1, CPU)["class"].to_list() == [0] * alike.height


def test_a_gpu_asks_cuml_for_the_same_from_the_same_start(vectors, monkeypatch):
    """A stand-in with cuML's arguments, and with scikit-learn inside."""

    class StandIn:
        def __init__(self, *, n_clusters, max_iter, tol, init, n_init, output_type):
            assert output_type == "numpy"
            self.model = KMeans(n_clusters, max_iter=max_iter, tol=tol, init=init, n_init=n_init)

        def fit(self, points):
            self.cluster_centers_ = self.model.fit(points).cluster_centers_
            return self

    cuml, cluster = ModuleType("cuml"), ModuleType("cuml.cluster")
    cluster.KMeans = StandIn
    monkeypatch.setitem(sys.modules, "cuml", cuml)
    monkeypatch.setitem(sys.modules, "cuml.cluster", cluster)
    on_cpu = clusters(vectors, 12, 1, CPU)
    monkeypatch.setattr(Engine, "either", lambda engine, cpu, gpu: gpu)
    assert clusters(vectors, 12, 1, CPU).equals(on_cpu)


@pytest.mark.gpu
def test_cuml_finds_what_scikit_learn_finds(vectors, gpu):
    """The sum of squared distances within 1 %, and 99 of 100 articles in the same class."""
    points = vectors_of(vectors, CPU).numpy()
    start = points[:12]
    near = [((points[:, None] - by(points, start)[None]) ** 2).sum(2).min(1).sum() for by in (by_scikit_learn, by_cuml)]
    assert near[1] == pytest.approx(near[0], rel=0.01)
    both = [clusters(vectors, 12, 1, engine)["class"] for engine in (CPU, gpu)]
    assert (both[0] == both[1]).mean() >= 0.99
