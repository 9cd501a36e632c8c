"""Reduce long vectors by a truncated singular value decomposition, as latent semantic analysis does with terms."""

from typing import Any

import numpy as np
import polars as pl
import torch

from hmgpu.core.vectors import quantised


def reduced(vectors: pl.DataFrame, dimensions: int) -> pl.DataFrame:
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
        found = torch.from_numpy(whole @ components(square, dimensions))
    keys = torch.from_numpy(vectors["article"].to_numpy().copy())
    return quantised(keys, torch.nn.functional.normalize(found, dim=1), "article")


def components(square: np.ndarray[Any, Any], dimensions: int) -> Any:
    """Return the right singular vectors of a matrix with the largest singular values: float64 (columns, dimensions).

    They are the eigenvectors of its `square` (columns, columns), which is small: so they are computed on the CPU,
    whatever the engine, by one method. The largest entry of each is positive.
    """
    from scipy.linalg import eigh

    width = len(square)
    _, vectors = eigh(square, subset_by_index=[width - dimensions, width - 1])
    vectors = vectors[:, ::-1]
    return vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(dimensions)])
