"""The best sellers of the last days, the same for everybody."""

import polars as pl

from hmgpu.benchmark.peers import PLACES, Peer
from hmgpu.core.engine import Engine
from hmgpu.core.plans import top_n
from hmgpu.data.store import History


def recommend(history: History, customers: pl.DataFrame, engine: Engine, seed: int, days: int) -> pl.DataFrame:
    """Recommend the articles that sold most units in the last `days` days."""
    sales = history.last(days).group_by("article").agg(score=pl.len().cast(pl.Int64))
    best = top_n(sales, PLACES, by=())
    return engine.collect(customers.lazy().join(best, how="cross").select("customer", "article", "rank"))


PEER = Peer(recommend, [{"days": 7}, {"days": 3}, {"days": 14}])
