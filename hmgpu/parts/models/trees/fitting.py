"""XGBoost, fed from examples on disk and stopped by the lists of some validation customers.

Examples reach XGBoost file by file through a `DataIter`, which keeps one byte for each value, so that memory is bounded
by the quantised matrix and one part of a file.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import xgboost as xgb

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.interrupts import interrupts_held
from hmgpu.parts.candidates import MOST, RANK, WORTH, WORTH_ONE
from hmgpu.parts.examples import LABEL, Examples

log = logging.getLogger(__name__)

METRIC = "ndcg@50"
"""Measured on the validation week to decide when to stop. Not MAP@12 itself: over a few hundred customers it jumps so
much from tree to tree that fitting stopped at a lucky early peak (docs/results/demo.md)."""
RANKS = 1 << 18  # ranks that the worth of a candidate falls by a factor of e in
CURVE = "curve"
"""Attribute of fitted trees: the metric on the watched lists after every tree, as a JSON list."""


@dataclass(frozen=True)
class Fitting:
    """Everything but the examples that decides which trees are fitted; small, because it is sent to other processes."""

    parameters: Mapping[str, Any]
    """Parameters of XGBoost."""
    rounds: int
    patience: int
    bins: int
    by_query: bool
    """Whether examples are fitted as lists of a customer; otherwise each by itself."""
    features: Sequence[str]
    engine: Engine
    from_worth: bool = False
    """Whether the trees start from the margins of `start_of`."""

    def run(self, training: Examples, validation: Examples, watched: pl.DataFrame) -> xgb.Booster:
        """Fit the trees, with their `CURVE` as an attribute.

        Args:
            training: examples to fit the trees on.
            validation: examples of the validation week.
            watched: (customer): those of the validation week whose lists decide when to stop; if empty, all trees are
                kept.
        """
        train = _matrix(training, self)
        log.info("fitting trees on %d rows of %d features", train.num_row(), train.num_col())
        evals, callbacks = [], []
        if watched.height:
            evals.append((_watched_lists(validation, self, watched), "validation"))
            stop = xgb.callback.EarlyStopping(rounds=self.patience, metric_name=METRIC, maximize=True, save_best=True)
            callbacks += [stop, _Report(every=50)]
        else:
            log.warning("no candidate was bought in the validation week: all %d trees are kept", self.rounds)
        curves: dict[str, dict[str, list[float]]] = {}
        booster = xgb.train(
            {**self.parameters},
            train,
            self.rounds,
            evals=evals,
            evals_result=curves,
            callbacks=callbacks,
            verbose_eval=False,
        )
        # An attribute goes wherever the trees go: to other processes, and into the model's file.
        booster.set_attr(**{CURVE: json.dumps(curves.get("validation", {}).get(METRIC, []))})
        log.info("kept %d trees", booster.num_boosted_rounds())
        return booster


def numbers(table: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """Return the columns `features`, with those in which every value is missing as float32."""
    return table.select(features).cast({pl.Null: pl.Float32})


def start_of(examples: pl.DataFrame) -> Any:
    """Return the float32 margins that trees start from: the natural logarithm of each candidate's worth (0..1).

    Candidates of one worth are in the order of their best rank, each of which takes 2^-18 off: that much a float32
    holds. A candidate that no retriever proposed has the least worth, 2^-30, and comes after the last rank. Raises
    ConfigError if the examples have no worth.
    """
    if WORTH not in examples.columns:
        raise ConfigError("ranker.from_worth: candidates have a worth only if quotas choose them; add `quotas`.")
    worth = examples[WORTH].fill_null(1).clip(lower_bound=1)
    rank = examples[f"best{RANK}"].fill_null(MOST + 1)
    return ((worth / WORTH_ONE).log() - rank / RANKS).cast(pl.Float32).to_numpy()


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
