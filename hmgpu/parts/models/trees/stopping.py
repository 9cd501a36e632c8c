"""When trees stop, and how many are kept: by the watched lists, smoothed over neighbouring trees.

Over a hundred lists the metric jumps by a hundredth from tree to tree, and its highest value is a matter of luck: fits
stopped after one or three trees on an early peak. So a tree counts with those before and after it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xgboost as xgb

from hmgpu.parts.models.trees.fitting import METRIC

WATCHED = "validation"
"""The name under which the watched lists are evaluated."""


def smoothed(values: Sequence[float], reach: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the mean of each value and of up to `reach` of them on each side, as many as there are."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    first, last = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(values))
    means: np.ndarray[Any, np.dtype[np.float64]] = (sums[last] - sums[first]) / (last - first)
    return means


class Stopping(xgb.callback.TrainingCallback):
    """Stops fitting `patience` trees after the best one, and keeps the trees up to that.

    The best is the one at which the metric, `smoothed` over a quarter of the patience on each side, is highest.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.reach, self.kept = patience, patience // 4, 0
        super().__init__()

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: Any) -> bool:
        self.kept = int(smoothed(evals_log[WATCHED][METRIC], self.reach).argmax()) + 1
        return epoch + 1 - self.kept >= self.patience

    def after_training(self, model: xgb.Booster) -> xgb.Booster:
        return model[: self.kept]
