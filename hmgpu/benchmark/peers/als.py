"""Matrix factorisation by alternating least squares (Hu, Koren & Volinsky 2008), by the library implicit.

Articles that the customer has bought are recommended too: people buy them again.
"""

from functools import partial

import polars as pl
from implicit.cpu.als import AlternatingLeastSquares

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
    l2: float = 0.01,
    alpha: float = 1.0,
    on_sale: int = 14,
) -> pl.DataFrame:
    """Recommend the articles sold in the last `on_sale` days whose vectors are nearest to the customer's."""
    make = partial(AlternatingLeastSquares, factors=factors, regularization=l2, alpha=alpha, random_state=seed)
    return nearest(make, history, customers, engine, days, on_sale, counts=True)


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
