"""Matrix factorisation by alternating least squares (Hu, Koren & Volinsky 2008), by the library implicit.

What was bought already is recommended too: people buy it again.
"""

import polars as pl
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

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
    l2: float = 0.01,
    alpha: float = 1.0,
    on_sale: int = 14,
) -> pl.DataFrame:
    """The articles sold in the last `on_sale` days whose vectors are nearest to the customer's."""
    purchases = Purchases.of(history, days, engine)
    rows = purchases.rows(customers)
    selling = purchases.columns(engine.collect(history.on_sale(min(on_sale, days))))
    if not len(rows) or not len(selling):
        return EMPTY
    with threadpool_limits(1, "blas"):  # implicit has threads of its own, which those of BLAS would hold up
        model = AlternatingLeastSquares(factors=factors, regularization=l2, alpha=alpha, random_state=seed)
        model.fit(purchases.units, show_progress=False)
        places = min(PLACES, len(selling))
        found = model.recommend(rows, purchases.units[rows], places, filter_already_liked_items=False, items=selling)
    return purchases.listed(rows, *found)


PEER = Peer(
    recommend,
    [
        {"days": 60, "factors": 200},
        {"days": 28, "factors": 200},
        {"days": 60, "factors": 200, "l2": 1.0, "alpha": 10.0},
        {"days": 28, "factors": 200, "l2": 1.0, "alpha": 10.0},
    ],
    ("implicit",),
)
