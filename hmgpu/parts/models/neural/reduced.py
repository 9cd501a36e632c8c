"""Long vectors made short by a truncated singular value decomposition, as latent semantic analysis does with terms."""

from typing import Any

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised


def reduced(vectors: pl.DataFrame, dimensions: int, engine: Engine, seed: int) -> pl.DataFrame:
    """`vectors` (article, `v…` int16) with `dimensions` numbers each, of length 1 again; the same where none is longer.

    Of a pair of articles the cosine stays what it was, as nearly as so few numbers can keep it.
    """
    if vectors.width - 1 <= dimensions or vectors.is_empty():
        return vectors
    from threadpoolctl import threadpool_limits

    # Sums of whole numbers below 2^53 are exact in float64, whatever their order.
    whole = vectors.drop("article").to_numpy().astype(np.float64)
    square = whole.T @ whole
    with threadpool_limits(1, "blas"):  # the last bits of other sums would depend on the number of threads
        found = torch.from_numpy(whole @ components(square, dimensions, engine, seed))
    keys = torch.from_numpy(vectors["article"].to_numpy().copy())
    return quantised(keys, torch.nn.functional.normalize(found, dim=1), "article")


def components(square: np.ndarray[Any, Any], dimensions: int, engine: Engine, seed: int) -> Any:
    """float64 (columns, dimensions): the right singular vectors of a matrix that belong to its largest values.

    Worked out from its `square` (columns, columns), which has the same ones: it is small, and dense as cuML wants it.
    """
    svd = engine.ml("decomposition").TruncatedSVD(n_components=dimensions, random_state=seed)
    return svd.fit(square).components_.T
