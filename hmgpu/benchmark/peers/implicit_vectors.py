"""Recommend articles on sale with implicit's vector models."""

from collections.abc import Callable
from typing import Any

import polars as pl
from threadpoolctl import threadpool_limits

from hmgpu.benchmark.peers import PLACES
from hmgpu.benchmark.peers.purchases import EMPTY, PurchaseMatrix
from hmgpu.core.engine import Engine
from hmgpu.data.store import History


def nearest(
    make: Callable[[], Any],
    history: History,
    customers: pl.DataFrame,
    engine: Engine,
    days: int,
    on_sale: int,
    counts: bool,
) -> pl.DataFrame:
    """Return (customer, article, rank): the articles sold in the last `on_sale` days that a model ranks first.

    Args:
        make: builds the model, which is then fitted on the last `days` days.
        counts: whether the model sees how many units were bought, or only that any were.
    """
    purchases = PurchaseMatrix.of(history, days, engine)
    rows = purchases.rows(customers)
    selling = purchases.columns(engine.collect(history.on_sale(min(on_sale, days))))
    if not len(rows) or not len(selling):
        return EMPTY
    with threadpool_limits(1, "blas"):  # implicit has threads of its own, which BLAS's threads would hold up
        model = make()
        model.fit(purchases.units if counts else purchases.bought, show_progress=False)
        places = min(PLACES, len(selling))
        found = model.recommend(rows, purchases.units[rows], places, filter_already_liked_items=False, items=selling)
    return purchases.listed(rows, *found)
