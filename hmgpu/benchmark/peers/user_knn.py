"""User-user neighbours (Herlocker et al. 1999), by lenskit's UserKNNScorer on implicit feedback."""

import polars as pl
from lenskit.knn import UserKNNScorer

from hmgpu.benchmark.peers import Peer
from hmgpu.benchmark.peers.lenskit_data import dataset, recommended
from hmgpu.benchmark.peers.purchases import EMPTY, Purchases
from hmgpu.data.store import History
from hmgpu.engine import Engine


def recommend(
    history: History, customers: pl.DataFrame, engine: Engine, seed: int, days: int, neighbours: int
) -> pl.DataFrame:
    """What the most similar customers bought."""
    purchases = Purchases.of(history, days, engine)
    if not len(purchases.rows(customers)):
        return EMPTY
    scorer = UserKNNScorer(feedback="implicit", max_nbrs=neighbours)
    scorer.train(dataset(purchases))
    return recommended(scorer, purchases, customers)


PEER = Peer(
    recommend,
    [{"days": 60, "neighbours": 20}, {"days": 28, "neighbours": 100}, {"days": 28, "neighbours": 400}],
    ("lenskit",),
)
