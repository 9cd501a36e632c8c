"""The week that is held out in training: what was bought in it, and how much of that a model's vectors find."""

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.neural.topk import nearest

RECALL = 100
FACT = f"held_out_recall_at_{RECALL}"
"""What a training's facts call the recall of its best pass."""


def bought_in(history: History, week: int) -> pl.LazyFrame:
    """Return (customer, article) bought in the seven days from day `week` on, each once.

    Only articles that had been sold before the week.
    """
    inside = history.transactions.filter(pl.col("day").is_between(week, week + DAYS - 1))
    known = history.before(week).articles.select("article")
    return inside.select("customer", "article").unique().join(known, on="article", how="semi")


def held_out_recall(
    customers: pl.DataFrame, articles: pl.DataFrame, selling: pl.DataFrame, bought: pl.DataFrame, engine: Engine
) -> float:
    """Return the share of `bought` among the 100 articles of `selling` that are nearest to each customer.

    Args:
        customers: (customer, `v…` int16).
        articles: (article, `v…` int16).
        selling: (article) that may be proposed.
        bought: (customer, article) of the held-out week, each once.
        engine: where to compute, on the CPU or the GPU.
    """
    found = nearest(customers, articles.join(selling, on="article", how="semi"), RECALL, engine)
    return recall_at(found, bought, RECALL)
