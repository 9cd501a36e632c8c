"""Item-item neighbours (Deshpande & Karypis 2004), by lenskit's ItemKNNScorer on implicit feedback.

An article is not its own neighbour here, so a bought article is recommended again only for the customer's other
purchases.
"""

import polars as pl
from lenskit.knn import ItemKNNScorer

from hmgpu.benchmark.peers import Peer
from hmgpu.benchmark.peers.lenskit_data import nearest
from hmgpu.core.engine import Engine
from hmgpu.data.store import History


def recommend(
    history: History, customers: pl.DataFrame, engine: Engine, seed: int, days: int, neighbours: int
) -> pl.DataFrame:
    """Recommend the articles that are most similar to the customer's purchases."""
    return nearest(ItemKNNScorer(feedback="implicit", max_nbrs=neighbours), history, customers, engine, days)


PEER = Peer(
    recommend,
    [{"days": 60, "neighbours": 20}, {"days": 28, "neighbours": 20}, {"days": 28, "neighbours": 100}],
    ("lenskit",),
)
