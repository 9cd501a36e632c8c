"""Recent purchases as the matrix that collaborative filtering starts from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix

from hmgpu.benchmark.peers import PLACES
from hmgpu.core.engine import Engine
from hmgpu.core.plans import top_n
from hmgpu.data.store import History

Keys = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
EMPTY = pl.DataFrame(schema={"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32})
"""The lists of a peer that knows none of the customers."""


@dataclass(frozen=True)
class PurchaseMatrix:
    """The number of units that each customer bought of each article."""

    customers: Keys
    """Key of each row, ascending."""
    articles: Keys
    """Key of each column, ascending."""
    units: csr_matrix
    """float32 (customers, articles)."""

    @staticmethod
    def of(history: History, days: int, engine: Engine, most: int | None = None) -> "PurchaseMatrix":
        """Return the purchases of the last `days` days; with `most`, only of so many best-selling articles."""
        pairs = history.last(days).group_by("customer", "article").agg(units=pl.len().cast(pl.Int64))
        if most is not None:
            best = top_n(pairs.group_by("article").agg(score=pl.col("units").sum()), most, by=())
            pairs = pairs.join(best, on="article", how="semi")
        bought = engine.collect(pairs.sort("customer", "article"))
        customers, rows = np.unique(bought["customer"].to_numpy(), return_inverse=True)
        articles, columns = np.unique(bought["article"].to_numpy(), return_inverse=True)
        values = bought["units"].cast(pl.Float32).to_numpy()
        return PurchaseMatrix(
            customers, articles, csr_matrix((values, (rows, columns)), shape=(len(customers), len(articles)))
        )

    @property
    def bought(self) -> csr_matrix:
        """Return `units` with a 1 for everything that was bought, however often."""
        ones = self.units.copy()
        ones.data[:] = 1.0
        return ones

    def rows(self, customers: pl.DataFrame) -> Places:
        """Return the rows of the `customers` (customer) who bought anything."""
        return np.flatnonzero(np.isin(self.customers, customers["customer"].to_numpy()))

    def columns(self, articles: pl.DataFrame) -> Places:
        """Return the columns of the `articles` (article) that were bought."""
        return np.flatnonzero(np.isin(self.articles, articles["article"].to_numpy()))

    def listed(self, rows: Places, columns: Any, scores: Any) -> pl.DataFrame:
        """Return (customer, article, rank): for each of `rows` its `columns`, best first; empty places are left out.

        Args:
            columns: whole numbers (rows, places); a negative one is an empty place.
            scores: numbers of the same shape; float32's lowest number is an empty place too.
        """
        columns, scores = np.asarray(columns), np.asarray(scores)
        places = np.broadcast_to(np.arange(1, columns.shape[1] + 1), columns.shape)
        real = (columns >= 0) & (scores > np.finfo(np.float32).min)
        customers = np.broadcast_to(self.customers[rows][:, None], columns.shape)
        return pl.DataFrame(
            {"customer": customers[real], "article": self.articles[columns[real]], "rank": places[real]},
            schema=EMPTY.schema,
        )


def best(scores: npt.NDArray[np.float32]) -> tuple[Places, npt.NDArray[np.float32]]:
    """Return the columns of the highest `scores` in each row, best first, and the scores; ties by column."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :PLACES]
    return order, np.take_along_axis(scores, order, axis=1)
