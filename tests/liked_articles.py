"""Purchases of customers who each like an eighth of the articles, some of which sell much more than others."""

import numpy as np
from scipy.sparse import csr_matrix


def liked(draw: np.random.Generator, customers: int, least: int, articles: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw (customers, articles), a row a purchase: at least `least` of each of the customers, of 8 × `articles`."""
    rows = np.repeat(np.arange(customers), least + draw.poisson(5, customers))
    columns = (draw.integers(0, articles, len(rows)) * draw.random(len(rows))).astype(int) * 8 - rows % -8
    return rows, columns


def summed(weights: np.ndarray, purchases: tuple[np.ndarray, np.ndarray]) -> csr_matrix:
    """Return the matrix (customers, articles) of float32 `weights`, those of one pair added up."""
    found = csr_matrix((weights, purchases))
    found.sum_duplicates()
    return found
