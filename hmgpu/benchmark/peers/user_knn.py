"""User-user neighbours (Herlocker et al. 1999), by lenskit's UserKNNScorer on implicit feedback."""

import polars as pl
from lenskit.knn import UserKNNScorer

from hmgpu.benchmark.peers import Peer
from hmgpu.benchmark.peers.lenskit_data import nearest
from hmgpu.core.engine import Engine
from hmgpu.data.store import History


def recommend(
    history: History, customers: pl.DataFrame, engine: Engine, seed: int, days: int, neighbours: int
) -> pl.DataFrame:
    """Recommend what the most similar customers bought."""
    return nearest(UserKNNScorer(feedback="implicit", max_nbrs=neighbours), history, customers, engine, days)


PEER = Peer(
    recommend,
    [{"days": 60, "neighbours": 20}, {"days": 28, "neighbours": 100}, {"days": 28, "neighbours": 400}],
    ("lenskit",),
)
