"""XGBoost, fed from examples on disk and stopped by the lists of some validation customers.

Examples reach XGBoost file by file through a `DataIter`, which keeps one byte for each value, so that memory is bounded
by the quantised matrix and one part of a file.
"""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import xgboost as xgb

from hmgpu.core.interrupts import interrupts_held
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.models.trees.fitting import CURVE, METRIC, Fitting, numbers, start_of

log = logging.getLogger(__name__)


def boosted(fitting: Fitting, training: Examples, validation: Examples, watched: pl.DataFrame) -> xgb.Booster:
    """Fit the trees, with their `CURVE` as an attribute.

    Args:
        fitting: what decides which trees are fitted.
        training: examples to fit the trees on.
        validation: examples of the validation week.
        watched: (customer): those of the validation week whose lists decide when to stop; if empty, all trees are kept.
    """
    train = _matrix(training, fitting)
    log.info("fitting trees on %d rows of %d features", train.num_row(), train.num_col())
    evals, callbacks = [], []
    if fitting.patience is None:
        log.info("no week decides when to stop: all %d trees are kept", fitting.rounds)
    elif watched.height:
        evals.append((_watched_lists(validation, fitting, watched), "validation"))
        stop = xgb.callback.EarlyStopping(rounds=fitting.patience, metric_name=METRIC, maximize=True, save_best=True)
        callbacks += [stop, _Report(every=50)]
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
    booster.set_attr(**{CURVE: json.dumps(curves.get("validation", {}).get(METRIC, []))})
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


def _matrix(examples: Examples, fitting: Fitting) -> xgb.QuantileDMatrix:
    """Return all examples, quantised."""
    with interrupts_held() as interrupted:
        return xgb.QuantileDMatrix(_Queries(examples, fitting, interrupted), max_bin=fitting.bins)


class _Queries(xgb.DataIter):
    """Hands XGBoost one table of examples after the other, as often as it asks, until it is `interrupted`."""

    def __init__(self, examples: Examples, fitting: Fitting, interrupted: Callable[[], bool]) -> None:
        self.examples, self.fitting, self.interrupted = examples, fitting, interrupted
        self.tables: Iterator[pl.DataFrame] = iter(())
        super().__init__()

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
            score = evals_log["validation"][METRIC][-1]
            log.info("%d trees: %s %.5f for validation customers who bought a candidate", epoch + 1, METRIC, score)
        return False
