"""Gradient-boosted trees: LambdaMART or a binary classifier, on the CPU or the GPU.

XGBoost (Chen & Guestrin 2016) with its LambdaMART objectives (Burges 2010). Examples reach it file by file through a
`DataIter`, which keeps one byte a value, so that memory is bounded by the quantised matrix and one file.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import xgboost as xgb
from pydantic import Field

from hmgpu.engine import Engine
from hmgpu.parts import Count
from hmgpu.plans import scattered
from hmgpu.rankers import LABEL, Examples, Model, Ranker

log = logging.getLogger(__name__)

MODEL = "model.ubj"
FEATURES = "features.json"
IMPORTANCES = "importances.json"
METRIC = "ndcg@50"
"""Decides on the validation week when to stop. Not MAP@12 itself: over a few hundred customers that one jumps so much
from tree to tree that fitting stopped at a lucky early peak (docs/results/demo.md)."""
Share = Annotated[float, Field(gt=0, le=1)]


class XGBoost(Ranker):
    """XGBoost on the candidates of customers who bought at least one of them."""

    objective: Literal["rank:ndcg", "rank:map", "rank:pairwise", "binary:logistic"] = "rank:ndcg"
    """What is optimised: the order within a customer's candidates, or each candidate's probability."""
    rounds: Count = 600
    """Trees at most."""
    patience: Count = 40
    """Trees without a better NDCG@50 in the validation week after which fitting stops."""
    watched: Count | None = 5_000
    """Customers of the validation week, drawn at random among those with a recalled purchase, whose lists decide when
    to stop; null takes all. More of them cost memory, and time at every tree."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    """Weight of each tree."""
    depth: Count = 7
    """Depth of a tree."""
    min_child_weight: Annotated[float, Field(ge=0)] = 5.0
    """Hessian that a leaf needs; more makes the model more careful."""
    l2: Annotated[float, Field(ge=0)] = 2.0
    """Penalty on the leaves' squared weights."""
    rows: Share = 0.8
    """Share of the rows each tree sees."""
    columns: Share = 0.5
    """Share of the features each tree sees."""
    bins: Annotated[int, Field(ge=2)] = 256
    """Quantiles kept of each feature."""
    pairs: Count = 12
    """Ranking objectives: the places at the top of each customer's list that form pairs."""

    def fit(self, training: Examples, validation: Examples, engine: Engine, seed: int) -> "XGBoostModel":
        features = training.features()
        ranks = self.objective.startswith("rank:")
        train = xgb.QuantileDMatrix(_Queries(training, features, ranks, engine), max_bin=self.bins)
        log.info("fitting on %d rows of %d features", train.num_row(), train.num_col())
        evals, callbacks = [], []
        watched = self._watched(validation, seed)
        if watched.height:
            evals.append((_lists(validation, features, watched), "validation"))
            stop = xgb.callback.EarlyStopping(rounds=self.patience, metric_name=METRIC, maximize=True, save_best=True)
            callbacks += [stop, _Report(every=50)]
        else:
            log.warning("no candidate was bought in the validation week: all %d trees are kept", self.rounds)
        booster = xgb.train(
            self._parameters(engine, seed, ranks),
            train,
            self.rounds,
            evals=evals,
            callbacks=callbacks,
            verbose_eval=False,
        )
        log.info("kept %d trees", booster.num_boosted_rounds())
        return XGBoostModel(booster, tuple(features), engine)

    def load(self, folder: Path, engine: Engine) -> "XGBoostModel":
        booster = xgb.Booster(model_file=str(folder / MODEL))
        booster.set_param({"device": engine.device})
        return XGBoostModel(booster, tuple(json.loads((folder / FEATURES).read_text())), engine)

    def _watched(self, validation: Examples, seed: int) -> pl.DataFrame:
        """(customer) of those whose lists decide when to stop."""
        told = validation.told_customers()
        drawn = told.with_columns(draw=scattered(["customer"], seed)).sort("draw", "customer")
        return drawn.select("customer").head(self.watched) if self.watched else told

    def _parameters(self, engine: Engine, seed: int, ranks: bool) -> dict[str, Any]:
        common = {
            "objective": self.objective,
            "eval_metric": METRIC,
            "device": engine.device,
            "tree_method": "hist",
            "seed": seed,
            "eta": self.learning_rate,
            "max_depth": self.depth,
            "min_child_weight": self.min_child_weight,
            "lambda": self.l2,
            "subsample": self.rows,
            "colsample_bytree": self.columns,
            "max_bin": self.bins,
        }
        if not ranks:
            return common
        return common | {"lambdarank_pair_method": "topk", "lambdarank_num_pair_per_sample": self.pairs}


@dataclass(frozen=True)
class XGBoostModel(Model):
    """Fitted trees and the features they expect."""

    booster: xgb.Booster
    features: tuple[str, ...]
    engine: Engine

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Margins: the sum of the trees' leaves."""
        if examples.is_empty():
            return pl.Series("score", [], dtype=pl.Float32)
        rows = self.engine.columns(_numbers(examples, self.features))
        margins = self.booster.inplace_predict(rows, predict_type="margin")
        return pl.Series("score", self.engine.numpy(margins), dtype=pl.Float32)

    def save(self, folder: Path) -> None:
        self.booster.save_model(folder / MODEL)
        (folder / FEATURES).write_text(json.dumps(self.features, indent=1))
        gains = self.booster.get_score(importance_type="total_gain")
        by_gain = sorted(gains.items(), key=lambda item: (-float(item[1]), item[0]))  # type: ignore[arg-type]
        (folder / IMPORTANCES).write_text(json.dumps(dict(by_gain), indent=1))


def _numbers(table: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """The columns `features`; one in which every value is missing is a number too."""
    return table.select(features).cast({pl.Null: pl.Float32})


def _lists(examples: Examples, features: Sequence[str], customers: pl.DataFrame) -> xgb.DMatrix:
    """All candidates of `customers` (customer), as queries: stopping looks at lists, whatever is optimised.

    Not quantised: a value is looked up in a quantised matrix by a search, which took longer a tree than fitting it.
    """
    chosen = pl.concat(table.join(customers, on="customer", how="semi") for table in examples.tables())
    table = chosen.sort("customer", "article")
    return xgb.DMatrix(_numbers(table, features), label=table[LABEL].to_numpy(), qid=table["customer"].to_numpy())


class _Queries(xgb.DataIter):
    """Hands XGBoost one file of examples after the other, as often as it asks."""

    def __init__(self, examples: Examples, features: list[str], by_query: bool, engine: Engine) -> None:
        self.examples, self.features, self.by_query, self.engine = examples, features, by_query, engine
        self.tables: Iterator[pl.DataFrame] = iter(())
        super().__init__()

    def reset(self) -> None:
        self.tables = self.examples.told()  # XGBoost would count a list without a purchase as a perfect one

    def next(self, input_data: Any) -> bool:
        table = next(self.tables, None)
        if table is None:
            return False
        query = {"qid": table["customer"].to_numpy()} if self.by_query else {}
        input_data(
            data=self.engine.columns(_numbers(table, self.features)),
            label=table[LABEL].to_numpy(),
            **query,
        )
        return True


class _Report(xgb.callback.TrainingCallback):
    """A line in the log every so many trees."""

    def __init__(self, every: int) -> None:
        self.every = every

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if (epoch + 1) % self.every == 0:
            score = evals_log["validation"][METRIC][-1]
            log.info("%d trees, %s of validation customers with a recalled purchase %.5f", epoch + 1, METRIC, score)
        return False
