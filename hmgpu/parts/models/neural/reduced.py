"""Reduce long vectors by a truncated singular value decomposition, as latent semantic analysis does with terms."""

from typing import Any

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised


def reduced(vectors: pl.DataFrame, dimensions: int, engine: Engine, seed: int) -> pl.DataFrame:
    """Reduce `vectors` (article, `v…` int16) to `dimensions` numbers of length 1; shorter ones are returned unchanged.

    The cosine of each pair of articles stays as near to the old one as so few numbers allow.
    """
    if vectors.width - 1 <= dimensions or vectors.is_empty():
        return vectors
    from threadpoolctl import threadpool_limits

    # Sums of whole numbers below 2^53 are exact in float64, in whatever order they are added.
    whole = vectors.drop("article").to_numpy().astype(np.float64)
    square = whole.T @ whole
    with threadpool_limits(1, "blas"):  # the last bits of other sums would depend on the number of threads
        found = torch.from_numpy(whole @ components(square, dimensions, engine, seed))
    keys = torch.from_numpy(vectors["article"].to_numpy().copy())
    return quantised(keys, torch.nn.functional.normalize(found, dim=1), "article")


def components(square: np.ndarray[Any, Any], dimensions: int, engine: Engine, seed: int) -> Any:
    """Return the right singular vectors of a matrix with the largest singular values: float64 (columns, dimensions).

    Computed from its `square` (columns, columns), which has the same vectors: it is small, and dense as cuML needs it.
    """
    svd = engine.ml("decomposition").TruncatedSVD(n_components=dimensions, random_state=seed)
    return svd.fit(square).components_.T
