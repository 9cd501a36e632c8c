"""Coordinates of articles by who takes them, beyond what their category and the week explain.

Correspondence analysis (Benzécri 1973; Greenacre 1984) decomposes how far a table of counts is from independence. Here
it is done within strata (as Benzécri did within classes, 1983): a customer's purchase of a category in a week is taken
as given, and what is decomposed is which of the articles that the category sold in that week it was. So neither
popularity, nor season, nor a liking for a category takes up dimensions; style, colour and fit are left.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Doubles = npt.NDArray[np.float64]
FEW_BOUGHT, FEW_SOLD = 5.0, 20.0  # purchases that a customer, and an article, are taken to have beside their own


def coordinates(bought: pl.DataFrame, dimensions: int, calm: float, seed: int) -> pl.DataFrame:
    """(article, `x000`… float64) of each article, sorted.

    A customer who bought n articles, whose coordinates exceed those of their strata's mean articles by x in sum, takes
    an article at y about exp(x·y / (n + calm)) times as often as others do.

    On the CPU, on one thread, whatever the engine, so that the same rows give the same numbers.

    Args:
        bought: (customer, article, stratum), one row a purchase.
        dimensions: fewer are returned where there are fewer customers or articles.
        calm: purchases of no particular taste that each customer is taken to have made beside his own.
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
    sold = sold.multiply(1 / sold.sum(axis=1)).tocsr()  # shares of the stratum
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
    if np.allclose(times(draw.normal(size=shape[1])), 0, atol=1e-9):  # nobody had a choice, which ARPACK refuses
        return pl.DataFrame({"article": articles[0]} | {name: np.zeros(shape[1]) for name in names})
    with threadpool_limits(1, "blas"):
        _, _, axes = svds(operator, k=found, v0=draw.normal(size=min(shape)))
    axes = _turned(axes[::-1].T) * right[:, None]
    usual = sold @ axes
    away = axes[articles[1]] - usual[strata[1]]
    spread = (sold @ axes**2 - usual**2)[strata[1]]
    # By each dimension: what a customer's other purchases say of one, against what they would if they said all. A
    # dimension of chance says nothing, and none is believed more than it deserves.
    others = (taken @ axes - visited @ usual)[customers[1]] - away
    others /= (people[customers[1]] - 1 + calm)[:, None]
    told, asked = (others * away).sum(axis=0), (others**2 * spread).sum(axis=0)
    weights = np.clip(told / np.maximum(asked, 1e-12), 0, None)
    return pl.DataFrame({"article": articles[0]}).hstack(pl.DataFrame(axes * np.sqrt(weights), schema=names))


def _turned(axes: Doubles) -> Doubles:
    """(articles, dimensions), each axis turned so that the first article that is far out on it is so in the positive.

    Which way a decomposition lets an axis point is chance: two environments on one machine disagreed, and trees split
    elsewhere. Not the article that is farthest out decides (scikit-learn's `svd_flip`): two may be, on opposite sides.
    """
    size = np.abs(axes)
    first = (size >= size.max(axis=0) / 2).argmax(axis=0)
    turned: Doubles = axes * np.sign(axes[first, np.arange(axes.shape[1])])
    return turned
