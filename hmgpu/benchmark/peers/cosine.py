"""Articles bought by the same people (Sarwar et al. 2001), by implicit's CosineRecommender."""

import warnings

import polars as pl
from implicit.nearest_neighbours import CosineRecommender
from implicit.utils import ParameterWarning

from hmgpu.benchmark.peers import PLACES, Peer
from hmgpu.benchmark.peers.purchases import EMPTY, PurchaseMatrix
from hmgpu.core.engine import Engine
from hmgpu.data.store import History


def recommend(
    history: History, customers: pl.DataFrame, engine: Engine, seed: int, days: int, neighbours: int
) -> pl.DataFrame:
    """Recommend the neighbours of what the customer bought, including what they bought themselves."""
    purchases = PurchaseMatrix.of(history, days, engine)
    rows = purchases.rows(customers)
    if not len(rows):
        return EMPTY
    model = CosineRecommender(K=neighbours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # about a matrix that implicit itself builds
        model.fit(purchases.units, show_progress=False)
    found = model.recommend(rows, purchases.units[rows], PLACES, filter_already_liked_items=False)
    return purchases.listed(rows, *found)


PEER = Peer(
    recommend,
    [{"days": 60, "neighbours": 20}, {"days": 28, "neighbours": 20}, {"days": 28, "neighbours": 100}],
    ("implicit",),
)
