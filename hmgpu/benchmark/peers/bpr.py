"""Bayesian personalised ranking (Rendle et al. 2009), by the library implicit.

One thread: with several, which of them is first decides the vectors.
"""

import polars as pl
from implicit.cpu.bpr import BayesianPersonalizedRanking

from hmgpu.benchmark.peers import PLACES, Peer
from hmgpu.benchmark.peers.purchases import EMPTY, Purchases
from hmgpu.data.store import History
from hmgpu.engine import Engine


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
    """The articles sold in the last `on_sale` days that the customer's vector ranks first."""
    purchases = Purchases.of(history, days, engine)
    rows = purchases.rows(customers)
    selling = purchases.columns(engine.collect(history.on_sale(min(on_sale, days))))
    if not len(rows) or not len(selling):
        return EMPTY
    model = BayesianPersonalizedRanking(
        factors=factors, learning_rate=learning_rate, regularization=l2, num_threads=1, random_state=seed
    )
    model.fit(purchases.bought, show_progress=False)
    places = min(PLACES, len(selling))
    found = model.recommend(rows, purchases.units[rows], places, filter_already_liked_items=False, items=selling)
    return purchases.listed(rows, *found)


PEER = Peer(
    recommend,
    [
        {"days": 80, "factors": 300},
        {"days": 28, "factors": 100},
        {"days": 80, "factors": 100, "learning_rate": 0.05},
    ],
    ("implicit",),
)
