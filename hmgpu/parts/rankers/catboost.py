"""Gradient-boosted symmetric trees that order each customer's candidates, on the CPU.

CatBoost (Prokhorenkova et al. 2018) with its losses for rankings. All nodes of a level of a tree split on the same
feature, which overfits less than free trees where there are few purchases.
"""

import json
import logging
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import polars as pl
from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.core.extras import needed_by
from hmgpu.core.plans import sample
from hmgpu.core.threads import threads
from hmgpu.parts.auto import Measured
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.rows import Rows, rows_of, scores_of
from hmgpu.parts.part import Count
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.parts.rankers.xgboost import patience_of, rate_of, rounds_of

if TYPE_CHECKING:
    import catboost

log = logging.getLogger(__name__)

MODEL, FEATURES = "model.cbm", "features.json"
METRIC = "NDCG:top=50;hints=skip_train~true"
UNLIKE = {"train_finish_time": "", "model_guid": "", "params": "{}", "training": "{}", "output_options": "{}"}
"""What a model tells of when, where and by how many threads it was fitted: without it, the same trees are the same
bytes."""


class CatBoost(Ranker):
    """CatBoost, fitted on the candidates of customers who bought at least one of them, all of them in memory."""

    objective: Literal["YetiRank", "QuerySoftMax", "QueryRMSE"] = "YetiRank"
    """What is optimised, of each customer's candidates. YetiRank: their order, by pairs drawn at random; QuerySoftMax:
    the probability of what was bought among them; QueryRMSE: the squared error of the differences between them."""
    rounds: Annotated[Count, Measured(rounds_of)] = 250
    """The most trees that are fitted."""
    patience: Annotated[Count, Measured(patience_of)] = 25
    """Fitting stops after this many trees without a better NDCG@50 in the validation week."""
    watched: Count | None = 5_000
    """Customers of the validation week whose lists decide when to stop, sampled at random among those who bought a
    candidate; null takes all."""
    learning_rate: Annotated[float, Field(gt=0), Measured(rate_of)] = 0.1
    """How much each tree contributes; a smaller rate needs more trees and often ends a little better."""
    depth: Annotated[int, Field(ge=1, le=16)] = 6
    """Depth of each tree, in levels; deeper trees learn finer patterns, take longer and overfit sooner."""
    l2: Annotated[float, Field(gt=0)] = 3.0
    """Penalty on the squared weights of the leaves; more makes the model more careful."""
    columns: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the features that each split is chosen from, sampled at random."""
    bins: Annotated[int, Field(ge=2, le=65_535)] = 128
    """Bins into which each feature's values are divided; more of them split more finely and cost memory and time."""

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"catboost"})

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "CatBoostModel":
        return self._run(training, validation, self.rounds, seed)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> Model:
        assert isinstance(fitted, CatBoostModel)
        return self._run(training, Examples(()), fitted.trees.tree_count_, seed)

    def load(self, folder: Path, engine: Engine) -> "CatBoostModel":
        features = tuple(json.loads((folder / FEATURES).read_text()))
        return _loaded((folder / MODEL).read_bytes(), features)

    def _run(self, training: Examples, validation: Examples, rounds: int, seed: int) -> "CatBoostModel":
        with needed_by("The ranker catboost"):
            import catboost

        training.require_purchases()
        features = tuple(training.features())
        rows = rows_of(training, features)
        log.info("fitting CatBoost on %d rows of %d features", *rows.numbers.shape)
        watched = sample(validation.customers_with_purchases(), self.watched, seed)
        trees = catboost.CatBoost(self._parameters(seed, rounds, stops=not watched.is_empty()))
        lists = None if watched.is_empty() else _pool(rows_of(validation, features, watched))
        trees.fit(_pool(rows), eval_set=lists)
        for name, value in UNLIKE.items():
            trees.get_metadata()[name] = value
        with tempfile.TemporaryDirectory() as folder:
            trees.save_model(f"{folder}/{MODEL}")
            content = (Path(folder) / MODEL).read_bytes()
        log.info("kept %d trees", trees.tree_count_)
        return _loaded(content, features)

    def _parameters(self, seed: int, rounds: int, stops: bool) -> dict[str, Any]:
        early = {"od_type": "Iter", "od_wait": self.patience, "use_best_model": True} if stops else {}
        return early | {
            "loss_function": self.objective,
            "eval_metric": METRIC,
            "iterations": rounds,
            "learning_rate": self.learning_rate,
            "depth": self.depth,
            "l2_leaf_reg": self.l2,
            "rsm": self.columns,
            "border_count": self.bins,
            "random_seed": seed,
            "thread_count": threads(),
            "allow_writing_files": False,
            "logging_level": "Silent",
        }


@dataclass(frozen=True)
class CatBoostModel(Model):
    """Fitted trees and the features that they expect."""

    trees: "catboost.CatBoost"
    features: tuple[str, ...]
    content: bytes
    """The trees in CatBoost's own format."""

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the sums of the trees' leaves."""
        margins = partial(self.trees.predict, prediction_type="RawFormulaVal", thread_count=threads())
        return scores_of(examples, self.features, margins)

    def save(self, folder: Path) -> None:
        (folder / MODEL).write_bytes(self.content)
        (folder / FEATURES).write_text(json.dumps(self.features, indent=1))


def _loaded(content: bytes, features: tuple[str, ...]) -> CatBoostModel:
    with needed_by("The ranker catboost"):
        import catboost

    trees = catboost.CatBoost()
    trees.load_model(blob=content)
    return CatBoostModel(trees, features, content)


def _pool(rows: Rows) -> "catboost.Pool":
    import catboost

    return catboost.Pool(rows.numbers, rows.bought, group_id=rows.queries())
