"""What RelBench scores its tasks by, as plain functions; where `relbench` is installed, its own code says it again."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.metrics import map_at
from hmgpu.experiments.relbench.protocol import K

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """One task's figures in one week."""

    ours: dict[str, float]
    relbench: dict[str, float] | None
    """By relbench's own functions; None where the package is not installed."""


def of_purchases(lists: pl.DataFrame, bought: pl.DataFrame) -> Figures:
    """Score lists (customer, article, rank) on what was bought (customer, article): `map`, MAP@12 over the buyers."""
    ours = {"map": map_at(lists, bought, K)}
    if (theirs := _relbench()) is None:
        return Figures(ours, None)
    buyers = bought.group_by("customer").len().sort("customer")
    hits = lists.join(bought, on=["customer", "article"], how="semi").filter(pl.col("rank") <= K)
    found = np.zeros((buyers.height, K), dtype=bool)
    found[buyers["customer"].search_sorted(hits["customer"]).to_numpy(), hits["rank"].to_numpy() - 1] = True
    return Figures(ours, {"map": float(theirs.map(found, buyers["len"].to_numpy()))})


def of_churn(predicted: Floats, churned: Sequence[int] | npt.NDArray[Any]) -> Figures:
    """Score probabilities of churn by `roc_auc`, the area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    theirs = _relbench()
    ours = {"roc_auc": float(roc_auc_score(churned, predicted))}
    return Figures(ours, None if theirs is None else {"roc_auc": float(theirs.roc_auc(churned, predicted))})


def of_sales(predicted: Floats, sold: Floats, deviation: float) -> Figures:
    """Score sales by `mae`, the mean absolute error, and `nmae`, the same over the standard deviation in training.

    Args:
        deviation: of the sales of all articles at all of RelBench's training origins, with one degree of freedom less.
    """
    theirs, error = _relbench(), float(np.abs(predicted - sold).mean())
    ours = {"mae": error, "nmae": error / deviation}
    return Figures(ours, None if theirs is None else {"nmae": theirs.make_nmae(lambda: deviation)(sold, predicted)})


def _relbench() -> Any:
    try:
        return importlib.import_module("relbench.metrics")
    except ModuleNotFoundError:
        return None
