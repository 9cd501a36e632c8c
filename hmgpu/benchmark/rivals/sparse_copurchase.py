"""Compute rules of co-purchase as products of sparse matrices, with SciPy on the CPU and CuPy on the GPU.

With X the matrix of customers and articles, XᵀX counts the customers who bought both. Its entries can't be weighted by
the days between the two purchases; but with a row for each customer's shopping day in place of each customer, A for
what was bought on that day, and B for all that the customer bought, each weighted by its days from that day, AᵀB sums
just the weights of `CoPurchase`, direction included. Weights are whole numbers in float64, so that sums are exact.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from hmgpu.benchmark.rivals.pandas_tables import ARTICLE, CUSTOMER
from hmgpu.core.engine import Engine
from hmgpu.core.plans import ONE
from hmgpu.data.store import Store
from hmgpu.parts.retrievers.copurchase import CoPurchase


@dataclass(frozen=True)
class Libraries:
    """The libraries for frames, arrays and sparse matrices; the GPU's are called as the CPU's."""

    frames: Any
    arrays: Any
    sparse: Any
    reading: Mapping[str, Any]
    """Keeps the names of the week folders from becoming a column, for which cuDF would read each file by itself."""

    @staticmethod
    def of(engine: Engine) -> "Libraries":
        plain = {"partitioning": None}
        if engine.name == "gpu":
            cudf, cupy, sparse = map(importlib.import_module, ("cudf", "cupy", "cupyx.scipy.sparse"))
            return Libraries(cudf, cupy, sparse, {"dataset_kwargs": plain})
        return Libraries(pd, np, importlib.import_module("scipy.sparse"), plain)


def sparse_rules(store: Store, cutoff: int, settings: CoPurchase, engine: Engine) -> pl.DataFrame:
    """Return (seed int32, article int32, score int64): the rules that `settings` learns from days before `cutoff`.

    Reads the data set's files; `settings` decides days, decay, direction, support and how many rules are kept.
    """
    on = Libraries.of(engine)
    first = cutoff - max(settings.days, settings.on_sale)
    weeks = [str(file) for file in store.week_files(first, cutoff - 1)]
    sold = on.frames.read_parquet(weeks, columns=["day", CUSTOMER, ARTICLE], **on.reading)
    sold = sold[(sold["day"] >= first) & (sold["day"] < cutoff)]
    selling = sold[sold["day"] >= cutoff - settings.on_sale][ARTICLE].unique()
    bought = _latest(sold[sold["day"] >= cutoff - settings.days], settings.per_customer)
    offered = bought[ARTICLE].isin(selling).values
    customers, row = on.arrays.unique(bought[CUSTOMER].values, return_inverse=True)
    day, article = (bought[name].values.astype("int64") for name in ("day", ARTICLE))
    day -= cutoff - settings.days - 1  # from 1 on: a matrix holds no zeros
    purchases = LatestPurchases(on, row, day, article, offered, (len(customers), int(article.max()) + 1))

    both = purchases.both()
    plain = settings.gap == settings.backwards == 1
    weights = both * float(ONE) if plain else purchases.weighted(settings)
    both.data = (both.data >= settings.support).astype("float64")
    rules = weights.multiply(both).tocoo()
    real = (rules.row != rules.col) & (rules.data > 0)
    seed, article, weight = rules.row[real], rules.col[real], rules.data[real]
    buyers = on.arrays.bincount(purchases.article, minlength=rules.shape[1]).astype("float64")
    score = (weight / on.arrays.sqrt(buyers[article] * buyers[seed])).astype("int64")
    table = on.frames.DataFrame({"seed": seed, ARTICLE: article, "score": score})
    ordered = table.sort_values(["seed", "score", ARTICLE], ascending=[True, False, True])
    best = engine.table(ordered.groupby("seed").head(settings.per_article))
    return best.cast({"seed": pl.Int32, ARTICLE: pl.Int32, "score": pl.Int64})


@dataclass(frozen=True)
class LatestPurchases:
    """Arrays of each customer's latest purchases, each article once."""

    on: Libraries
    row: Any
    """The customer, counted from 0."""
    day: Any
    article: Any
    offered: Any
    """Whether the article is still on sale: only such articles are proposed, though all are seeds."""
    shape: tuple[int, int]

    def both(self) -> Any:
        """Return XᵀX: the number of customers who bought the seed (row) and the article (column)."""
        ones = self.on.arrays.ones(len(self.row))
        return self._matrix(ones).T.tocsr() @ self._matrix(ones, self.offered)

    def weighted(self, settings: CoPurchase) -> Any:
        """Return AᵀB: the pairs' weights, summed over customers."""
        span = settings.days + 1
        trips, trip = self.on.arrays.unique(self.row * span + self.day, return_inverse=True)
        on_the_day = self._csr(self.on.arrays.ones(len(trip)), trip, self.article, len(trips))
        all_of_them = self._matrix(self.day.astype("float64"), self.offered)[trips // span].tocoo()
        days_after = all_of_them.data.astype("int64") - (trips % span)[all_of_them.row]
        weights = self.on.arrays.asarray(_weights(settings))[days_after + settings.days]
        return on_the_day.T.tocsr() @ self._csr(weights, all_of_them.row, all_of_them.col, len(trips))

    def _matrix(self, values: Any, chosen: Any = slice(None)) -> Any:
        """The sparse matrix of customers × articles."""
        return self._csr(values[chosen], self.row[chosen], self.article[chosen], self.shape[0])

    def _csr(self, values: Any, rows: Any, columns: Any, height: int) -> Any:
        return self.on.sparse.csr_matrix((values, (rows, columns)), shape=(height, self.shape[1]))


def _latest(sold: Any, n: int) -> Any:
    """Each customer's `n` latest articles with the day they were last bought."""
    last = sold.groupby([CUSTOMER, ARTICLE]).agg({"day": "max"}).reset_index()
    ordered = last.sort_values([CUSTOMER, "day", ARTICLE], ascending=[True, False, True])
    return ordered.groupby(CUSTOMER).head(n)


def _weights(settings: CoPurchase) -> Any:
    """Fixed-point weight of a pair whose article was bought -days..days after its seed."""
    after = np.arange(-settings.days, settings.days + 1)
    return np.round(settings.gap ** np.abs(after) * np.where(after < 0, settings.backwards, 1.0) * ONE)
