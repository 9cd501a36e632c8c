"""The small models of the two heads: boosted trees (XGBoost, Chen & Guestrin 2016), fitted twice.

They are fitted on the origins before the validation origin and stopped on that one; for the test they are fitted again,
to as many trees, on all of these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.engine import Engine

ROUNDS, PATIENCE = 500, 20
SETTINGS: Mapping[str, Any] = {"eta": 0.1, "max_depth": 6, "min_child_weight": 5, "max_bin": 256}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """What is asked at one origin, described by what was known before it."""

    keys: pl.DataFrame
    """(customer or article)."""
    columns: pl.DataFrame
    """Numbers and flags, the same columns at every origin."""
    target: Floats
    start: Floats | None = None
    """What trees start from; None: one number for all rows."""


def fitted(
    engine: Engine, seed: int, training: Sequence[Rows], validation: Rows, test: Rows, task: Mapping[str, Any]
) -> tuple[tuple[Floats, Floats], int]:
    """Return the predictions for the rows of the validation and of the test origin, and the number of trees.

    Args:
        task: XGBoost's objective and the metric that decides when to stop.
    """
    import xgboost as xgb

    settings = {**SETTINGS, **task, "device": engine.device, "seed": seed}

    def matrix(*parts: Rows) -> xgb.DMatrix:
        columns = pl.concat(part.columns for part in parts).cast({pl.Boolean: pl.Int8, pl.Null: pl.Float32})
        starts = [part.start for part in parts if part.start is not None]
        target = np.concatenate([part.target for part in parts])
        return xgb.DMatrix(columns, target, base_margin=np.concatenate(starts) if starts else None)

    watched = matrix(validation)
    stop = xgb.callback.EarlyStopping(rounds=PATIENCE, save_best=True)
    evals = [(watched, "validation")]
    chosen = xgb.train(settings, matrix(*training), ROUNDS, evals=evals, callbacks=[stop], verbose_eval=False)
    trees = chosen.num_boosted_rounds()
    both = xgb.train(settings, matrix(*training, validation), trees)
    return (_values(chosen, watched), _values(both, matrix(test))), trees


def _values(trees: Any, rows: Any) -> Floats:
    return np.asarray(trees.predict(rows), dtype=np.float64)
