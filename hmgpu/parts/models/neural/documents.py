"""Articles by the terms of a text: TF-IDF, then latent semantic analysis (Deerwester et al. 1990)."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.parts.models.neural.reduced import components

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TERMS = 4096
"""The most frequent ones are looked at: enough for every department and fabric, and few enough for a square matrix."""


def document_vectors(documents: pl.DataFrame, dimensions: int, engine: Engine, seed: int) -> pl.DataFrame:
    """(article, `v…` int16) of length 1, one row for each article that has a term.

    Args:
        documents: (article, text) sorted by article; anything but letters, digits and underscores parts two terms.
    """
    told = documents.filter(pl.col("text").str.contains(r"\w"))
    found = torch.empty(0, dimensions)
    if told.height:  # of no terms at all scikit-learn makes an error
        from sklearn.feature_extraction.text import TfidfVectorizer
        from threadpoolctl import threadpool_limits

        terms = TfidfVectorizer(token_pattern=r"\w+", max_features=TERMS, sublinear_tf=True).fit_transform(told["text"])
        with threadpool_limits(1, "blas"):  # the last bits of sums would depend on the number of threads
            found = torch.from_numpy(terms @ _components(terms, dimensions, engine, seed))
    keys = torch.from_numpy(told["article"].to_numpy().copy())
    return quantised(keys, torch.nn.functional.normalize(found, dim=1), "article")


def _components(terms: "csr_matrix", dimensions: int, engine: Engine, seed: int) -> Any:
    """float64 (terms, dimensions): the right singular vectors of `terms` that belong to the largest values.

    Zeros stand for terms that are wanting where there are fewer than dimensions.
    """
    width = terms.shape[1]
    square = np.zeros((max(width, dimensions),) * 2)
    square[:width, :width] = (terms.T @ terms).toarray()
    return components(square, dimensions, engine, seed)[:width]
