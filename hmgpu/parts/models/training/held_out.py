"""The week before the cutoff: held out in training, to see how much of it a model finds, and then trained on, too."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.space.topk import nearest
from hmgpu.parts.models.training.loop import Fitted
from hmgpu.parts.models.training.settings import LastWeek

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


def train_to(
    history: History,
    last_week: LastWeek,
    epochs: int,
    work: Path,
    fit: Callable[[History, bool, int, Path], Fitted | None],
) -> float | None:
    """Train a model on `history` by calls of `fit`, and return its recall of the held-out week, None without one.

    Args:
        history: all that may be known.
        last_week: what becomes of the last week.
        epochs: the most passes.
        work: folder for the checkpoints of all calls.
        fit: called with what to train on, whether the week after that decides when to stop, the most passes and a
            folder for checkpoints. It leaves a trained model where its caller wants it, and returns None where there
            was nothing to train on.
    """
    if last_week == "trained":
        fit(history, False, epochs, work / "trained")
        return None
    fitted = fit(history.before(history.cutoff - DAYS), True, epochs, work / "held_out")
    if fitted is not None and last_week == "again":
        fit(history, False, fitted.passes, work / "again")
    return None if fitted is None else fitted.score
