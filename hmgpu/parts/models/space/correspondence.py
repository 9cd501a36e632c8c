"""Coordinates of articles by the customers who buy them, beyond what category and week explain.

Correspondence analysis (Benzécri 1973; Greenacre 1984) decomposes how far a table of counts is from independence. Here
it is done within strata (as Benzécri did within classes, 1983): that a customer bought something of a category in a
week is taken as given, and what is decomposed is which of the category's articles of that week they chose. So neither
popularity, nor season, nor a liking for a category takes up dimensions; style, colour and fit are left.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Doubles = npt.NDArray[np.float64]
FEW_BOUGHT, FEW_SOLD = 5.0, 20.0  # purchases that are added to each customer's, and to each article's, own


def coordinates(bought: pl.DataFrame, dimensions: int, calm: float, seed: int) -> pl.DataFrame:
    """Return the coordinates (article, `x000`… float64) of each article, sorted by article.

    Let x be the sum over a customer's n articles of their coordinates less their strata's means. Such a customer buys
    an article at y about exp(x·y / (n + calm)) times as often as others do.

    Computed on the CPU by one thread, whatever the engine, so that the same rows give the same numbers.

    Args:
        bought: (customer, article, stratum), one row for each purchase.
        dimensions: number of coordinates; fewer are returned if there are fewer customers or articles.
        calm: purchases without a particular taste that are added to each customer's own.
        seed: of the vector that the decomposition starts from.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import LinearOperator, svds
    from threadpoolctl import threadpool_limits

    rows = bought.sort("customer", "article", "stratum")
    customers, articles, strata = (np.unique(rows[name].to_numpy(), return_inverse=True) for name in rows.columns)
    shape = (len(customers[0]), len(articles[0]))
    found = min(dimensions, min(shape) - 1)
    names = [f"x{place:03}" for place in range(max(0, found))]
    if found < 1:
        return pl.DataFrame({"article": articles[0]}, schema={"article": pl.Int32})

    def counts(first: Any, second: Any) -> Any:
        one = np.ones(rows.height)
        return csr_matrix((one, (first[1], second[1])), shape=(len(first[0]), len(second[0])))

    taken, visited, sold = counts(customers, articles), counts(customers, strata), counts(strata, articles)
    sold = sold.multiply(1 / sold.sum(axis=1)).tocsr()  # as shares of their stratum
    people, units = np.asarray(taken.sum(axis=1)).ravel(), np.asarray(taken.sum(axis=0)).ravel()
    left, right = 1 / np.sqrt(people + FEW_BOUGHT), 1 / np.sqrt(units + FEW_SOLD)

    def times(vector: Doubles) -> Doubles:
        scaled = right * vector.ravel()
        return np.asarray(left * (taken @ scaled - visited @ (sold @ scaled)))

    def transposed(vector: Doubles) -> Doubles:
        scaled = left * vector.ravel()
        return np.asarray(right * (taken.T @ scaled - sold.T @ (visited.T @ scaled)))

    operator = LinearOperator(shape, matvec=times, rmatvec=transposed, dtype=np.float64)
    draw = np.random.default_rng(seed)
    if np.allclose(times(draw.normal(size=shape[1])), 0, atol=1e-9):  # no choices: ARPACK refuses zeros
        return pl.DataFrame({"article": articles[0]} | {name: np.zeros(shape[1]) for name in names})
    with threadpool_limits(1, "blas"):
        _, _, axes = svds(operator, k=found, v0=draw.normal(size=min(shape)))
    axes = _turned(axes[::-1].T) * right[:, None]
    usual = sold @ axes
    away = axes[articles[1]] - usual[strata[1]]
    spread = (sold @ axes**2 - usual**2)[strata[1]]
    # For each dimension: how well a customer's other purchases predict each one, as a share of a perfect prediction.
    # A dimension of chance predicts nothing and gets no weight.
    others = (taken @ axes - visited @ usual)[customers[1]] - away
    others /= (people[customers[1]] - 1 + calm)[:, None]
    predicted, possible = (others * away).sum(axis=0), (others**2 * spread).sum(axis=0)
    weights = np.clip(predicted / np.maximum(possible, 1e-12), 0, None)
    return pl.DataFrame({"article": articles[0]}).hstack(pl.DataFrame(axes * np.sqrt(weights), schema=names))


def _turned(axes: Doubles) -> Doubles:
    """Turn each axis of (articles, dimensions) so that the first article far out on it has a positive coordinate.

    The direction of a decomposition's axes is chance: two environments on one machine disagreed, and trees then split
    elsewhere. The article that is farthest out can't decide (as in scikit-learn's `svd_flip`), because two articles may
    be equally far out on opposite sides.
    """
    size = np.abs(axes)
    first = (size >= size.max(axis=0) / 2).argmax(axis=0)
    turned: Doubles = axes * np.sign(axes[first, np.arange(axes.shape[1])])
    return turned
