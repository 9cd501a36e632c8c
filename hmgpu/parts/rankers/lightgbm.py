"""Gradient-boosted trees that grow leaf by leaf: LambdaMART or a binary classifier, on the CPU.

LightGBM (Ke et al. 2017), with which most public solutions of the H&M competition ranked. It splits the leaf that gains
most, where XGBoost here splits a whole level. Its wheels have no kernels for a GPU.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.core.extras import needed_by
from hmgpu.core.plans import sample
from hmgpu.parts.auto import Measured
from hmgpu.parts.examples import Examples, numbers_of
from hmgpu.parts.models.rows import rows_of, scores_of
from hmgpu.parts.part import Count
from hmgpu.parts.ranker import AVERAGE, SCORED, START, Model, Ranker
from hmgpu.parts.rankers.xgboost import patience_of, rate_of, rounds_of

if TYPE_CHECKING:
    import lightgbm

log = logging.getLogger(__name__)

MODEL, FEATURES = "model.txt", "features.json"
TOP = 50
Share = Annotated[float, Field(gt=0, le=1)]


class LightGBM(Ranker):
    """LightGBM, fitted on the candidates of customers who bought at least one of them, all of them in memory."""

    objective: Literal["lambdarank", "rank_xendcg", "binary"] = "lambdarank"
    """What is optimised. lambdarank, rank_xendcg: the order within each customer's candidates; binary: the probability
    that a candidate is bought."""
    rounds: Annotated[Count, Measured(rounds_of)] = 250
    """The most trees that are fitted."""
    patience: Annotated[Count, Measured(patience_of)] = 25
    """Fitting stops after this many trees without a better NDCG@50 in the validation week."""
    watched: Count | None = 5_000
    """Customers of the validation week whose lists decide when to stop, sampled at random among those who bought a
    candidate; null takes all."""
    learning_rate: Annotated[float, Field(gt=0), Measured(rate_of)] = 0.1
    """How much each tree contributes; a smaller rate needs more trees and often ends a little better."""
    leaves: Annotated[int, Field(ge=2, le=131_072)] = 31
    """The most leaves of a tree; more learn finer patterns, take longer and overfit sooner."""
    least: Count = 50
    """The fewest examples in a leaf; more makes the model more careful."""
    l2: Annotated[float, Field(ge=0)] = 2.0
    """Penalty on the squared weights of the leaves; more makes the model more careful."""
    rows: Share = 0.8
    """Share of the rows that each tree is fitted on, sampled at random."""
    columns: Share = 0.5
    """Share of the features that each tree is fitted on, sampled at random."""

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"lightgbm"})

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "LightGBMModel":
        return self._run(training, validation, self.rounds, seed)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> Model:
        assert isinstance(fitted, LightGBMModel)
        return self._run(training, Examples(()), fitted.booster.num_trees(), seed)

    def load(self, folder: Path, engine: Engine) -> "LightGBMModel":
        with needed_by("The ranker lightgbm"):
            import lightgbm

        text = (folder / MODEL).read_text(encoding="utf-8")
        features = tuple(json.loads((folder / FEATURES).read_text()))
        return LightGBMModel(lightgbm.Booster(model_str=text), features, text)

    def _run(self, training: Examples, validation: Examples, rounds: int, seed: int) -> "LightGBMModel":
        with needed_by("The ranker lightgbm"):
            import lightgbm

        training.require_purchases()
        features = tuple(training.features())
        rows = rows_of(training, features)
        log.info("fitting LightGBM on %d rows of %d features", *rows.numbers.shape)
        parameters = self._parameters(seed)
        train = lightgbm.Dataset(rows.numbers, rows.bought, group=rows.sizes, params=parameters)
        stops: dict[str, Any] = {}
        watched = sample(validation.customers_with_purchases(), self.watched, seed)
        if not watched.is_empty():
            lists = rows_of(validation, features, watched)
            stops["valid_sets"] = [train.create_valid(lists.numbers, lists.bought, group=lists.sizes)]
            stops["callbacks"] = [lightgbm.early_stopping(self.patience, first_metric_only=True, verbose=False)]
        booster = lightgbm.train(parameters, train, rounds, **stops)
        kept = booster.best_iteration if stops else booster.num_trees()
        text = booster.model_to_string(num_iteration=kept)
        log.info("kept %d trees", kept)
        return LightGBMModel(lightgbm.Booster(model_str=text), features, text)

    def _parameters(self, seed: int) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "metric": "ndcg",
            "eval_at": [TOP],
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.least,
            "lambda_l2": self.l2,
            "bagging_fraction": self.rows,
            "bagging_freq": 1,
            "feature_fraction": self.columns,
            "seed": seed,
            "deterministic": True,  # for any number of threads
            "force_row_wise": True,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class LightGBMModel(Model):
    """Fitted trees and the features that they expect."""

    booster: "lightgbm.Booster"
    features: tuple[str, ...]
    text: str
    """The trees in LightGBM's own format."""

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the sums of the trees' leaves."""
        return scores_of(examples, self.features, lambda rows: self.booster.predict(rows, raw_score=True))

    def contributions(self, examples: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Return the Shapley values of the trees, as LightGBM computes them."""
        rows = numbers_of(examples, self.features)
        found = self.booster.predict(rows, pred_contrib=True) if examples.height else np.zeros((0, rows.shape[1] + 1))
        named = pl.DataFrame(np.asarray(found, np.float32), schema=dict.fromkeys([*self.features, AVERAGE], pl.Float32))
        return {SCORED: named.with_columns(pl.lit(0.0, pl.Float32).alias(START))}

    def save(self, folder: Path) -> None:
        (folder / MODEL).write_text(self.text, encoding="utf-8")
        (folder / FEATURES).write_text(json.dumps(self.features, indent=1))
