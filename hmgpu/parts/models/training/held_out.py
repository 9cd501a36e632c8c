"""The week before the cutoff: held out in training, to see how much of it a model finds, and then trained on, too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.space.embedding import Scorer, Tables
from hmgpu.parts.models.training.loop import CURVE, Fitted
from hmgpu.parts.models.training.settings import HistoryTraining

S = TypeVar("S", bound=HistoryTraining)

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


def held_out_recall(tables: Tables, bought: pl.DataFrame, scorer: Scorer, engine: Engine) -> float:
    """Return the share of `bought` among each customer's hundred best articles on sale.

    Args:
        tables: what a model says of customers and articles, for `scorer`.
        bought: (customer, article) of the held-out week, each once.
        scorer: by which articles are scored.
        engine: where to compute, on the CPU or the GPU.
    """
    return recall_at(scorer.best(tables, RECALL, engine), bought, RECALL)


def train_to(
    settings: S,
    history: History,
    work: Path,
    fit: Callable[[S, History, pl.LazyFrame | None, Path], Fitted | None],
) -> dict[str, Any]:
    """Train a model on `history` by calls of `fit`, and return its facts: recall of the held-out week, and its curve.

    The recall is None without such a week; the curve, by pass, is of the training that was stopped by it.

    Args:
        settings: of the training; they say what becomes of the last week.
        history: all that may be known.
        work: folder for the checkpoints of all calls.
        fit: called with settings, of which `epochs` are the passes of this call, what to train on, what was `bought_in`
            the week after that if it decides when to stop, and a folder for checkpoints. It leaves a trained model
            where its caller wants it, and returns None where there was nothing to train on.
    """
    if settings.last_week == "trained":
        return _facts(fit(settings, history, None, work / "trained"), None)
    past = history.before(history.cutoff - DAYS)
    fitted = fit(settings, past, bought_in(history, past.cutoff), work / "held_out")
    if fitted is not None and settings.last_week == "again":
        fit(settings.model_copy(update={"epochs": fitted.passes}), history, None, work / "again")
    return _facts(fitted, fitted and fitted.score)


def _facts(fitted: Fitted | None, recall: float | None) -> dict[str, Any]:
    return {FACT: recall, CURVE: list(fitted.curve) if fitted else []}
