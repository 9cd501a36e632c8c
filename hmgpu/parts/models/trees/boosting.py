"""XGBoost, fed from examples on disk and stopped by the lists of some validation customers.

Examples reach XGBoost part by part through a `DataIter`. On the CPU the quantised matrix lies in a file, a page for
each part, a few of which are mapped into memory at a time (XGBoost's external memory): so what fitting holds hardly
grows with the examples, and where memory is free, the file stays in the system's cache.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import xgboost as xgb

from hmgpu.core.interrupts import interrupts_held
from hmgpu.core.machine import GIB
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.models.trees.fitting import CURVE, METRIC, Fitting, numbers, start_of
from hmgpu.parts.models.trees.stopping import WATCHED, Stopping

log = logging.getLogger(__name__)

VALUE = 8  # bytes at most: 4 for the number of its bin, as values are missing; 1 or 2 once more; a share of its row's


def boosted(fitting: Fitting, training: Examples, validation: Examples, watched: pl.DataFrame) -> xgb.Booster:
    """Fit the trees, with their `CURVE` as an attribute.

    Args:
        fitting: what decides which trees are fitted.
        training: examples to fit the trees on.
        validation: examples of the validation week.
        watched: (customer): those of the validation week whose lists decide when to stop; if empty, all trees are kept.
    """
    with tempfile.TemporaryDirectory(prefix="hmgpu-") as folder:
        return _boosted(fitting, _matrix(training, fitting, Path(folder)), validation, watched)


def _boosted(fitting: Fitting, train: xgb.DMatrix, validation: Examples, watched: pl.DataFrame) -> xgb.Booster:
    log.info("fitting trees on %d rows of %d features", train.num_row(), train.num_col())
    evals, callbacks = [], []
    if fitting.patience is None:
        log.info("no week decides when to stop: all %d trees are kept", fitting.rounds)
    elif watched.height:
        evals.append((_watched_lists(validation, fitting, watched), WATCHED))
        callbacks += [Stopping(fitting.patience), _Report(every=50)]
    else:
        log.warning("no candidate was bought in the validation week: all %d trees are kept", fitting.rounds)
    curves: dict[str, dict[str, list[float]]] = {}
    booster = xgb.train(
        {**fitting.parameters},
        train,
        fitting.rounds,
        evals=evals,
        evals_result=curves,
        callbacks=callbacks,
        verbose_eval=False,
    )
    # An attribute goes wherever the trees go: to other processes, and into the model's file.
    booster.set_attr(**{CURVE: json.dumps(curves.get(WATCHED, {}).get(METRIC, []))})
    log.info("kept %d trees", booster.num_boosted_rounds())
    return booster


def _watched_lists(examples: Examples, fitting: Fitting, customers: pl.DataFrame) -> xgb.DMatrix:
    """Return all candidates of `customers` (customer) as queries: lists decide when to stop, whatever is optimised.

    Not quantised: XGBoost searches for each value in a quantised matrix, which took longer than fitting the tree.
    """
    chosen = pl.concat(table.join(customers, on="customer", how="semi") for table in examples.tables())
    table = chosen.sort("customer", "article")
    return xgb.DMatrix(
        numbers(table, fitting.features),
        label=table[LABEL].to_numpy(),
        qid=table["customer"].to_numpy(),
        base_margin=start_of(table) if fitting.from_worth else None,
    )


def _matrix(examples: Examples, fitting: Fitting, folder: Path) -> xgb.DMatrix:
    """Return all examples, quantised; on the CPU in a file in `folder`, to the same trees as in memory."""
    size = examples.rows() * len(fitting.features) * VALUE
    external = fitting.engine.name == "cpu" and _can_be_named(folder) and _has_room(folder, size)
    kind = xgb.ExtMemQuantileDMatrix if external else xgb.QuantileDMatrix
    with interrupts_held() as interrupted:
        queries = _Queries(examples, fitting, interrupted, folder / "matrix" if external else None)
        return kind(queries, max_bin=fitting.bins)


def _can_be_named(folder: Path) -> bool:
    """Whether XGBoost finds the file again: it is told names as JSON, and reads no others there than in ASCII."""
    found = str(folder).isascii()
    if not found:
        log.warning(
            "examples are kept in memory while trees are fitted: XGBoost can't read files in %s; set TMPDIR to another "
            "folder",
            folder.parent,
        )
    return found


def _has_room(folder: Path, size: int) -> bool:
    """Whether so many bytes can be written into `folder`: XGBoost ends the process where the disk gets full."""
    free = shutil.disk_usage(folder).free
    if free < size:
        log.warning(
            "examples are kept in memory while trees are fitted: the disk of %s has %.1f GiB free, and %.1f are needed",
            *(folder.parent, free / GIB, size / GIB),
        )
    return free >= size


class _Queries(xgb.DataIter):
    """Hands XGBoost one table of examples after the other, as often as it asks, until it is `interrupted`."""

    def __init__(
        self, examples: Examples, fitting: Fitting, interrupted: Callable[[], bool], cache: Path | None
    ) -> None:
        self.examples, self.fitting, self.interrupted = examples, fitting, interrupted
        self.tables: Iterator[pl.DataFrame] = iter(())
        super().__init__(cache_prefix=str(cache) if cache else None)

    def reset(self) -> None:
        self.tables = self.examples.with_purchases()  # XGBoost would count a list without a purchase as perfect

    def next(self, input_data: Any) -> bool:
        table = None if self.interrupted() else next(self.tables, None)
        if table is None:
            return False
        more = {"qid": table["customer"].to_numpy()} if self.fitting.by_query else {}
        if self.fitting.from_worth:
            more["base_margin"] = start_of(table)
        input_data(
            data=self.fitting.engine.columns(numbers(table, self.fitting.features)),
            label=table[LABEL].to_numpy(),
            **more,
        )
        return True


class _Report(xgb.callback.TrainingCallback):
    """Logs the validation metric every `every` trees."""

    def __init__(self, every: int) -> None:
        self.every = every

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if (epoch + 1) % self.every == 0:
            score = evals_log[WATCHED][METRIC][-1]
            log.info("%d trees: %s %.5f for validation customers who bought a candidate", epoch + 1, METRIC, score)
        return False
