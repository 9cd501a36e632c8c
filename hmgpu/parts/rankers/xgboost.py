"""Gradient-boosted trees: LambdaMART or a binary classifier, on the CPU or the GPU.

XGBoost (Chen & Guestrin 2016) with its LambdaMART objectives (Burges 2010). `trees/` feeds it with examples.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.core.plans import sample
from hmgpu.parts.auto import Measured, Rhythm, between
from hmgpu.parts.candidates import WORTH
from hmgpu.parts.examples import ROWS, Examples
from hmgpu.parts.models.trees.fitting import CURVE, METRIC, Fitting, numbers, start_of
from hmgpu.parts.part import Count
from hmgpu.parts.ranker import AVERAGE, SCORED, START, Model, Ranker

if TYPE_CHECKING:
    import xgboost as xgb

MODEL = "model.ubj"
FEATURES = "features.json"
IMPORTANCES = "importances.json"
CURVE_FILE = "curve.json"
Share = Annotated[float, Field(gt=0, le=1)]


def depth_of(rhythm: Rhythm) -> int:
    """One level less each time that the examples which were bought halve: 7 for 131,000 of them, 4 for 16,000."""
    return between(3, math.log2(max(1.0, rhythm.positives)) - 10, 7)


def rate_of(rhythm: Rhythm) -> float:
    """A tenth for 131,000 bought examples, less by the root of their number: .03 for 12,000.

    Where few lists decide when to stop, trees at a tenth stop by chance after one or twenty.
    """
    return round(min(max(0.1 * math.sqrt(rhythm.positives / 2**17), 0.02), 0.1), 3)


def rounds_of(rhythm: Rhythm) -> int:
    """As many as may move a score as far as 250 trees at a tenth."""
    return round(25 / rate_of(rhythm))


def patience_of(rhythm: Rhythm) -> int:
    """Likewise, as 25 trees at a tenth."""
    return round(2.5 / rate_of(rhythm))


class XGBoost(Ranker):
    """XGBoost, fitted on the candidates of customers who bought at least one of them."""

    objective: Literal["rank:ndcg", "rank:map", "rank:pairwise", "binary:logistic"] = "rank:ndcg"
    """What is optimised. rank:…: the order within each customer's candidates; binary:logistic: the probability that a
    candidate is bought."""
    rounds: Annotated[Count, Measured(rounds_of)] = 600
    """The most trees that are fitted."""
    patience: Annotated[Count, Measured(patience_of)] = 40
    """Fitting stops after this many trees without a better NDCG@50 in the validation week, which is smoothed over a
    quarter as many trees on each side: the fewer lists decide, the more it jumps from tree to tree."""
    watched: Count | None = 5_000
    """Customers of the validation week whose lists decide when to stop, sampled at random among those who bought a
    candidate; null takes all. More of them make a steadier decision, and cost memory and time for every tree."""
    learning_rate: Annotated[float, Field(gt=0), Measured(rate_of)] = 0.05
    """How much each tree contributes; a smaller rate needs more trees and often ends a little better."""
    depth: Annotated[Count, Measured(depth_of)] = 7
    """Depth of each tree, in levels; deeper trees learn finer patterns, take longer and overfit sooner."""
    min_child_weight: Annotated[float, Field(ge=0)] = 5.0
    """Least sum of the loss's second derivatives in a leaf; more makes leaves larger and the model more careful."""
    l2: Annotated[float, Field(ge=0)] = 2.0
    """Penalty on the squared weights of the leaves; more makes the model more careful."""
    rows: Share = 0.8
    """Share of the rows that each tree is fitted on, sampled at random."""
    columns: Share = 0.5
    """Share of the features that each tree is fitted on, sampled at random."""
    bins: Annotated[int, Field(ge=2)] = 256
    """Bins into which each feature's values are divided; more of them split more finely and cost memory and time."""
    pairs: Count = 12
    """Objectives rank:… only: how many places at the top of each customer's list are compared with all others."""

    from_worth: bool | None = None
    """Whether the trees start from the logarithm of a candidate's `worth`, which `quotas` compute, instead of from 0;
    null: where the config has quotas. The trees then learn only what the worth misses, so that few examples can't make
    lists worse than the worth alone would."""

    workers: Count = 1
    """Processes of the cluster that fit the trees together, each on its share of the examples. Another number gives
    slightly different trees, as another seed would."""

    def idle(self) -> Mapping[str, str]:
        return {} if self.objective.startswith("rank:") else {"pairs": "with an objective rank:…"}

    @property
    def processes(self) -> int:
        return self.workers

    @property
    def needs_worth(self) -> bool:
        return self.from_worth is True

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "XGBoostModel":
        training.require_purchases()
        fitting = self._fitting(training, engine, seed, self.rounds, self.patience)
        return self._run(fitting, training, validation, self._watched(validation, seed), client)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> "XGBoostModel":
        assert isinstance(fitted, XGBoostModel)
        fitting = self._fitting(training, engine, seed, fitted.booster.num_boosted_rounds(), None)
        nothing = Examples(())
        return self._run(fitting, training, nothing, nothing.customers_with_purchases(), client)

    def load(self, folder: Path, engine: Engine) -> "XGBoostModel":
        import xgboost as xgb

        booster = xgb.Booster(model_file=str(folder / MODEL))
        booster.set_param({"device": engine.device})
        features = tuple(json.loads((folder / FEATURES).read_text()))
        return XGBoostModel(booster, features, engine, self._starts_from_worth(features))

    def _starts_from_worth(self, features: Sequence[str]) -> bool:
        return WORTH in features if self.from_worth is None else self.from_worth

    def _fitting(self, training: Examples, engine: Engine, seed: int, rounds: int, patience: int | None) -> Fitting:
        ranks = self.objective.startswith("rank:")
        parameters = self._parameters(engine, seed, ranks)
        features = training.features()
        starts = self._starts_from_worth(features)
        return Fitting(parameters, rounds, patience, self.bins, ranks, features, engine, from_worth=starts)

    def _run(
        self, fitting: Fitting, training: Examples, validation: Examples, watched: pl.DataFrame, client: Any
    ) -> "XGBoostModel":
        if self.workers == 1:
            from hmgpu.parts.models.trees.boosting import boosted  # loads XGBoost

            booster = boosted(fitting, training, validation, watched)
        else:
            from hmgpu.parts.models.trees.together import fit_together  # loads Dask

            booster = fit_together(fitting, training, validation, watched, client, self.workers)
        return XGBoostModel(booster, tuple(fitting.features), fitting.engine, fitting.from_worth)

    def _watched(self, validation: Examples, seed: int) -> pl.DataFrame:
        """Return (customer): those whose lists decide when to stop."""
        return sample(validation.customers_with_purchases(), self.watched, seed)

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
    """Fitted trees and the features that they expect."""

    booster: "xgb.Booster"
    features: tuple[str, ...]
    engine: Engine
    from_worth: bool = False

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the margins: the sum of the trees' leaves and of the value that they start from."""
        if examples.is_empty():
            return pl.Series("score", [], dtype=pl.Float32)
        return pl.concat(self._margins(part) for part in examples.iter_slices(ROWS))

    def _margins(self, examples: pl.DataFrame) -> pl.Series:
        # Part by part, since Arrow has to copy the columns for XGBoost; all rows at once took twice as long.
        rows = self.engine.columns(numbers(examples, self.features))
        start = start_of(examples) if self.from_worth else None
        margins = self.booster.inplace_predict(rows, predict_type="margin", base_margin=start)
        return pl.Series("score", self.engine.numpy(margins), dtype=pl.Float32)

    def contributions(self, examples: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Return the Shapley values of the trees (TreeSHAP, Lundberg et al. 2020), as XGBoost computes them."""
        import xgboost as xgb

        table = numbers(examples, self.features)
        start = start_of(examples) if self.from_worth else np.zeros(examples.height, np.float32)
        margin = start if self.from_worth else None
        rows = xgb.DMatrix(self.engine.columns(table), base_margin=margin, feature_names=list(self.features))
        found = self.engine.numpy(self.booster.predict(rows, pred_contribs=True)) if examples.height else None
        values = np.zeros((0, len(self.features) + 1), np.float32) if found is None else found
        named = pl.DataFrame(values, schema=dict.fromkeys([*self.features, AVERAGE], pl.Float32))
        return {SCORED: named.with_columns(pl.Series(START, start), pl.col(AVERAGE) - pl.Series(START, start))}

    def save(self, folder: Path) -> None:
        # Written here, because XGBoost raises no error when the disk is full.
        (folder / MODEL).write_bytes(self.booster.save_raw("ubj"))
        (folder / FEATURES).write_text(json.dumps(self.features, indent=1))
        gains = self.booster.get_score(importance_type="total_gain")
        by_gain = sorted(gains.items(), key=lambda item: (-float(item[1]), item[0]))  # type: ignore[arg-type]
        (folder / IMPORTANCES).write_text(json.dumps(dict(by_gain), indent=1))
        curve = json.loads(self.booster.attr(CURVE) or "[]")
        facts = {"metric": METRIC, "kept": self.booster.num_boosted_rounds(), "validation": curve}
        (folder / CURVE_FILE).write_text(json.dumps(facts, indent=1))
