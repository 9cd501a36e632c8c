"""Classes of articles by k-means over their vectors: scikit-learn's on the CPU, cuML's on a GPU."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.plans import sample
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.parts.models.space.correspondence import coordinates
from hmgpu.parts.models.space.topk import nearest, vectors_of

Floats = npt.NDArray[np.float32]
ROUNDS, TOLERANCE = 50, 1e-6
DRAWN = 100_000  # customers whose purchases are in memory at once
CALM = 20.0  # purchases without a particular taste that are added to each customer's, where classes are by who buys


def clusters(vectors: pl.DataFrame, count: int, seed: int, engine: Engine) -> pl.DataFrame:
    """Return (article, class int32) of all articles of `vectors`: at most `count` classes, some of them empty.

    Both engines start from the same centres, and each article belongs to the centre with the largest cosine, where ties
    break on the smaller class. Centres are in whole steps by then, so that sums that differ in their last bits seldom
    move an article.

    Args:
        vectors: (article, `v…` int16), of length 1.
        count: of classes.
        seed: of the centres to start from.
        engine: where to compute, on the CPU or the GPU.
    """
    from sklearn.cluster import kmeans_plusplus
    from threadpoolctl import threadpool_limits

    articles = vectors.sort("article")
    found = min(count, articles.drop("article").n_unique() if vectors.width > 1 else 1)
    if found < 2:
        return vectors.select(pl.col("article"), pl.lit(0, dtype=pl.Int32).alias("class"))
    points: Floats = vectors_of(articles, Engine("cpu", "k-means")).numpy()
    with threadpool_limits(1):  # the last bits of sums would depend on the number of threads
        start, _ = kmeans_plusplus(points, found, random_state=seed)
    centres = torch.from_numpy(engine.either(by_scikit_learn, by_cuml)(points, start))
    unit = quantised(torch.arange(found), torch.nn.functional.normalize(centres, dim=1), "article")
    near = nearest(vectors.rename({"article": "customer"}), unit, 1, engine)
    return near.select(pl.col("customer").alias("article"), pl.col("article").alias("class")).sort("article")


def by_buyers(history: History, days: int, dimensions: int, seed: int, engine: Engine) -> pl.DataFrame:
    """Return (article, `v…` int16) of articles that customers, sampled at random, bought in the last `days` days.

    They are nearer the more customers they share.
    """
    bought = history.last(days).select("customer", "article", stratum=pl.lit(0))
    rows = bought.join(sample(bought.select("customer").unique(), DRAWN, seed), on="customer", how="semi")
    found = coordinates(engine.collect(rows), dimensions, CALM, seed)
    vectors = torch.from_numpy(found.drop("article").to_numpy().copy()).float()
    return quantised(found["article"].to_torch(), torch.nn.functional.normalize(vectors, dim=1), "article")


def by_scikit_learn(points: Floats, start: Floats) -> Floats:
    """Return the centres (classes, dimensions) of `points` (articles, dimensions), found from `start` on the CPU."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return _fitted(KMeans, points, start)


def by_cuml(points: Floats, start: Floats) -> Floats:
    """Return what `by_scikit_learn` returns, found on a GPU; sums differ in their last bits."""
    from cuml.cluster import KMeans

    return _fitted(KMeans, points, start, output_type="numpy")


def _fitted(library: Any, points: Floats, start: Floats, **other: str) -> Floats:
    model = library(n_clusters=len(start), init=start, n_init=1, max_iter=ROUNDS, tol=TOLERANCE, **other).fit(points)
    centres: Floats = np.asarray(model.cluster_centers_, dtype=np.float32)
    return centres
