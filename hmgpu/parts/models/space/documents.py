"""Vectors of articles from the terms of a text: TF-IDF, then latent semantic analysis (Deerwester et al. 1990)."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch

from hmgpu.core.vectors import quantised
from hmgpu.parts.models.space.reduced import components

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TERMS = 4096
"""The most frequent terms that are used: enough for every department and fabric, few enough for a square matrix."""


def document_vectors(documents: pl.DataFrame, dimensions: int) -> pl.DataFrame:
    """Return vectors of length 1 (article, `v…` int16), one row for each article that has a term.

    Args:
        documents: (article, text) sorted by article; a term is a run of letters, digits and underscores.
        dimensions: length of the vectors.
    """
    with_terms = documents.filter(pl.col("text").str.contains(r"\w"))
    found = torch.empty(0, dimensions)
    if with_terms.height:  # scikit-learn raises an error if there are no terms
        from sklearn.feature_extraction.text import TfidfVectorizer
        from threadpoolctl import threadpool_limits

        vectorizer = TfidfVectorizer(token_pattern=r"\w+", max_features=TERMS, sublinear_tf=True)
        terms = vectorizer.fit_transform(with_terms["text"])
        with threadpool_limits(1, "blas"):  # the last bits of sums would depend on the number of threads
            found = torch.from_numpy(terms @ _components(terms, dimensions))
    keys = torch.from_numpy(with_terms["article"].to_numpy().copy())
    return quantised(keys, torch.nn.functional.normalize(found, dim=1), "article")


def _components(terms: "csr_matrix", dimensions: int) -> Any:
    """Return the right singular vectors of `terms` with the largest singular values: float64 (terms, dimensions).

    If there are fewer terms than dimensions, zeros fill the gap.
    """
    width = terms.shape[1]
    square = np.zeros((max(width, dimensions),) * 2)
    square[:width, :width] = (terms.T @ terms).toarray()
    return components(square, dimensions)[:width]
