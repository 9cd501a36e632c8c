"""Place articles that hardly anybody has bought where their content says that sales would put them.

A student learns from the articles that sold: from their content it predicts their vectors in a space of purchases
(Gantner et al. 2010, "Learning attribute-to-feature mappings for cold-start recommendations"), by ridge regression.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS, quantised, shortened
from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.models.space.content_vectors import ContentOf, content_vectors

Floats = npt.NDArray[np.float32]
COMMON = 2  # articles that must have a code for it to become a column
TRUSTED = 20.0  # units sold at which an article's place counts half as much as one that is known exactly
ROWS = 8192  # articles at once


def placed(
    history: History, taught: pl.DataFrame, units: pl.DataFrame, dimensions: int, l2: float, engine: Engine
) -> pl.DataFrame:
    """Return (article, `v…` int16) of all articles of `history`: their place by content, the longest of length 1.

    The mean of all places is 0. On the CPU by one thread, whatever the engine.

    Args:
        history: whose articles are placed.
        taught: (article, `v…` int16) of articles that sold, their place by sales.
        units: (article, units) sold, of these articles.
        dimensions: length of the vectors that texts and pictures are reduced to.
        l2: penalty on large coefficients.
        engine: what tables are computed on.
    """
    from threadpoolctl import threadpool_limits

    keys, content = content_matrix(history, dimensions, engine)
    sold = taught.join(units, on="article").sort("article")
    rows = keys.search_sorted(sold["article"]).to_numpy()
    # Polars would forget the number of rows of a table without columns.
    targets = sold.drop("article", "units").to_numpy().reshape(sold.height, sold.width - 2) / float(STEPS)
    found = np.zeros((len(keys), targets.shape[1]))
    if len(rows):
        trust = sold["units"].to_numpy() / (sold["units"].to_numpy() + TRUSTED)
        with threadpool_limits(1, "blas"):  # the last bits of sums would depend on the number of threads
            solved = ridge(content[rows], targets, trust, l2)
            for start in range(0, len(keys), ROWS):
                found[start : start + ROWS] = content[start : start + ROWS].astype(np.float64) @ solved
        found -= found.mean(axis=0)  # what all articles have in common is not taste
    return quantised(torch.from_numpy(keys.to_numpy().copy()), shortened(torch.from_numpy(found)), "article")


def ridge(known: Floats, targets: Any, weights: Any, l2: float) -> Any:
    """Return the coefficients float64 (columns, dimensions) by which `known` (rows, columns) predicts `targets`.

    The constant is left out, since `placed` centres what is predicted.
    """
    from scipy.linalg import solve

    share = (weights / weights.sum())[:, None]
    columns = known.astype(np.float64)
    columns -= (share * columns).sum(axis=0)
    weighted = columns * weights[:, None]
    square = weighted.T @ columns
    square[np.diag_indices(len(square))] += l2
    return solve(square, weighted.T @ (targets - (share * targets).sum(axis=0)), assume_a="pos")


def content_matrix(history: History, dimensions: int, engine: Engine) -> tuple[pl.Series, Floats]:
    """Return the keys of all articles, sorted, and what is known of each but its sales (articles, columns).

    A column of ones and zeros for each code but the product's, of which there are too many; and the vectors of names
    and descriptions, and those that the data set has of sentences and pictures, `dimensions` numbers each.
    """
    codes = [name for name in names("articles", ["code"]) if history.has(name) and name != "product"]
    table = engine.collect(history.articles.select("article", *codes).sort("article"))
    blocks: list[Floats] = [np.empty((table.height, 0), np.float32)]
    for name in codes:
        counts = table[name].drop_nulls().value_counts(name="count")
        known = counts.filter(pl.col("count") >= COMMON)[name].sort().to_numpy()
        blocks.append((table[name].fill_null(-1).to_numpy()[:, None] == known).astype(np.float32))
    for of in _described(history):
        vectors = content_vectors(history, of, dimensions, 0, engine)
        rows = table.select("article").join(vectors, on="article", how="left", maintain_order="left").drop("article")
        blocks.append(rows.fill_null(0).to_numpy().astype(np.float32) / np.float32(STEPS))
    return table["article"], np.concatenate(blocks, axis=1)


def _described(history: History) -> Iterator[ContentOf]:
    """What the data set has of the articles besides codes."""
    if history.has("name"):
        yield "text"
    if "text" in history.vectors:
        yield "sentences"
    if "pictures" in history.vectors:
        yield "pictures"
