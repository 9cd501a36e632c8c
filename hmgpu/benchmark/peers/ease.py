"""Embarrassingly shallow autoencoder (Steck 2019), by lenskit's EASEScorer.

It inverts a dense matrix of articles × articles, so only the best sellers take part.
"""

import polars as pl
from lenskit.knn import EASEScorer

from hmgpu.benchmark.peers import Peer
from hmgpu.benchmark.peers.lenskit_data import dataset
from hmgpu.benchmark.peers.purchases import EMPTY, PurchaseMatrix, best
from hmgpu.core.engine import Engine
from hmgpu.data.store import History

BATCH = 1024  # customers whose scores are held at a time


def recommend(
    history: History,
    customers: pl.DataFrame,
    engine: Engine,
    seed: int,
    days: int,
    l2: float,
    articles: int = 10_000,
) -> pl.DataFrame:
    """Recommend the articles with the highest sum of weights over the customer's purchases.

    The weights come from lenskit; the products don't, since its scorer takes one customer at a time, dense.
    """
    purchases = PurchaseMatrix.of(history, days, engine, articles)
    rows = purchases.rows(customers)
    if not len(rows):
        return EMPTY
    scorer = EASEScorer(regularization=l2)
    scorer.train(dataset(purchases))
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    return pl.concat(purchases.listed(batch, *best(purchases.bought[batch] @ scorer.weights)) for batch in batches)


PEER = Peer(
    recommend,
    [{"days": 60, "l2": 300.0}, {"days": 28, "l2": 100.0}, {"days": 28, "l2": 20.0}],
    ("lenskit",),
)
