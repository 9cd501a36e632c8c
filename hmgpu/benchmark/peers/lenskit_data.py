"""Train lenskit's scorers on recent purchases, and take their lists."""

from typing import Any

import numpy as np
import polars as pl
from lenskit.data import Dataset, ItemList, RecQuery, from_interactions_df

from hmgpu.benchmark.peers import PLACES
from hmgpu.benchmark.peers.purchases import EMPTY, PurchaseMatrix
from hmgpu.core.engine import Engine
from hmgpu.data.store import History


def dataset(purchases: PurchaseMatrix) -> Dataset:
    """Return the purchases as lenskit's data, each pair once: users are the matrix's rows, items its columns."""
    pairs = purchases.units.tocoo()
    return from_interactions_df(pl.DataFrame({"user_id": pairs.row, "item_id": pairs.col}).to_pandas())


def nearest(scorer: Any, history: History, customers: pl.DataFrame, engine: Engine, days: int) -> pl.DataFrame:
    """Return (customer, article, rank): the highest scores of `scorer`, trained on the last `days` days.

    lenskit's own pipeline would leave out what the customer has bought, but here customers buy articles again.
    """
    purchases = PurchaseMatrix.of(history, days, engine)
    rows = purchases.rows(customers)
    if not len(rows):
        return EMPTY
    scorer.train(dataset(purchases))
    items = ItemList(scorer.items.ids(), vocabulary=scorer.items)
    columns = np.full((len(rows), PLACES), -1)
    scores = np.zeros(columns.shape)
    for place, row in enumerate(rows):
        own = purchases.units.indices[purchases.units.indptr[row] : purchases.units.indptr[row + 1]]
        first = scorer(RecQuery(user_id=row, history_items=ItemList(own)), items).top_n(PLACES)
        columns[place, : len(first)], scores[place, : len(first)] = first.ids(), first.scores()
    return purchases.listed(rows, columns, scores)
