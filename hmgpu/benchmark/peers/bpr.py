"""Bayesian personalised ranking (Rendle et al. 2009), by the library implicit.

It uses one thread: with several, their order would change the vectors.
"""

from functools import partial

import polars as pl
from implicit.cpu.bpr import BayesianPersonalizedRanking

from hmgpu.benchmark.peers import Peer
from hmgpu.benchmark.peers.implicit_vectors import nearest
from hmgpu.core.engine import Engine
from hmgpu.data.store import History


def recommend(
    history: History,
    customers: pl.DataFrame,
    engine: Engine,
    seed: int,
    days: int,
    factors: int,
    learning_rate: float = 0.01,
    l2: float = 0.01,
    on_sale: int = 14,
) -> pl.DataFrame:
    """Recommend the articles sold in the last `on_sale` days that the customer's vector ranks first."""
    make = partial(
        BayesianPersonalizedRanking,
        factors=factors,
        learning_rate=learning_rate,
        regularization=l2,
        num_threads=1,
        random_state=seed,
    )
    return nearest(make, history, customers, engine, days, on_sale, counts=False)


PEER = Peer(
    recommend,
    [
        {"days": 80, "factors": 300},
        {"days": 28, "factors": 100},
        {"days": 80, "factors": 100, "learning_rate": 0.05},
    ],
    ("implicit",),
)
