"""The customer's past purchases, the newest first, then last week's best sellers.

The rule that most public H&M solutions start from.
"""

import polars as pl

from hmgpu.benchmark.peers import PLACES, Peer, popular
from hmgpu.core.engine import Engine
from hmgpu.core.plans import top_n
from hmgpu.data.store import History


def recommend(
    history: History, customers: pl.DataFrame, engine: Engine, seed: int, days: int, popular_days: int = 7
) -> pl.DataFrame:
    """Recommend what the customer bought in the last `days` days, then what sold most in `popular_days`."""
    often = 1000  # more units of one article than anybody buys in `days` days, so that the day counts first
    own = history.of(customers.lazy()).last(days).group_by("customer", "article")
    newest = own.agg(score=pl.col("day").max().cast(pl.Int64) * often + pl.len().cast(pl.Int64))
    listed = top_n(newest, PLACES, by="customer").select("customer", "article", place="rank")
    best = popular.recommend(history, customers, engine, seed, popular_days).lazy()
    more = best.select("customer", "article", place="rank").join(listed, on=["customer", "article"], how="anti")
    both = pl.concat([listed, more.with_columns(pl.col("place") + PLACES)]).with_columns(score=-pl.col("place"))
    return engine.collect(top_n(both, PLACES, by="customer").select("customer", "article", "rank"))


PEER = Peer(recommend, [{"days": 730}, {"days": 91}, {"days": 28}])
