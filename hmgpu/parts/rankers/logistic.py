"""Logistic regression on the numbers of a candidate: the plainest model, which hardly overfits.

scikit-learn's, on numbers that are normalised as those of the networks are. A public solution of the H&M competition
had one among the models that its final decision was made of.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import LABEL, Examples, numbers_of
from hmgpu.parts.models.ranking.moments import Moments, moments_of, normalised
from hmgpu.parts.ranker import AVERAGE, SCORED, START, Model, Ranker

log = logging.getLogger(__name__)

FILE = "logistic.json"
ITERATIONS = 500
AT_ONCE = 100_000  # rows that are normalised at once


class Logistic(Ranker):
    """Logistic regression, fitted on the candidates of customers who bought one of them, all of them in memory."""

    l2: Annotated[float, Field(gt=0)] = 10.0
    """Penalty on the squared weights, next to the summed loss of all examples; more makes the model more careful."""

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "LogisticModel":
        from sklearn.linear_model import LogisticRegression

        training.require_purchases()
        features = tuple(training.features())
        moments, numbers, bought = moments_of(training, features), [], []
        for table in training.with_purchases():
            numbers.append(normalised(numbers_of(table, features), moments).astype(np.float32))
            bought.append(table[LABEL].to_numpy())
        rows, labels = np.concatenate(numbers), np.concatenate(bought)
        log.info("fitting a logistic regression on %d rows of %d features", len(rows), len(features))
        if labels.min() > 0:  # nothing to tell apart
            return LogisticModel(features, moments, np.zeros(rows.shape[1]))
        fitted = LogisticRegression(C=1 / self.l2, max_iter=ITERATIONS)
        fitted.fit(rows, labels)
        return LogisticModel(features, moments, fitted.coef_[0].astype(np.float64))

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> Model:
        return self.fit(training, Examples(()), engine, seed)

    def load(self, folder: Path, engine: Engine) -> "LogisticModel":
        saved: Mapping[str, Any] = json.loads((folder / FILE).read_text())
        gaps = tuple(place for place, gap in enumerate(saved["gaps"]) if gap is not None)
        columns = {name: np.array(saved[name]) for name in ("logged", "mean", "deviation")}
        marks = [gap for gap in saved["gaps"] if gap is not None]
        weights = np.array([*saved["weights"], *marks], dtype=np.float64)
        return LogisticModel(tuple(saved["features"]), Moments(**columns, gaps=gaps), weights)


@dataclass(frozen=True)
class LogisticModel(Model):
    """The weights of the features, and what normalises these."""

    features: tuple[str, ...]
    moments: Moments
    weights: "np.ndarray[Any, np.dtype[np.float64]]"
    """Of the normalised features, then of the marks of those with gaps."""

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the log-odds that a candidate was bought, but for a constant."""
        # Row by row: a product of matrices may round a row otherwise next to others.
        parts = [self._summands(part).sum(1) for part in examples.iter_slices(AT_ONCE)]
        return pl.Series("score", np.concatenate([np.empty(0), *parts]), dtype=pl.Float32)

    def contributions(self, examples: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Return the summands: of each column how far it is from its mean, times its weight, with the mark of a gap."""
        summands, width = self._summands(examples), len(self.features)
        found = summands[:, :width].copy()
        found[:, list(self.moments.gaps)] += summands[:, width:]
        named = pl.DataFrame(found.astype(np.float32), schema=dict.fromkeys(self.features, pl.Float32))
        nothing = pl.lit(0.0, pl.Float32)
        return {SCORED: named.with_columns(nothing.alias(START), nothing.alias(AVERAGE))}

    def _summands(self, examples: pl.DataFrame) -> "np.ndarray[Any, np.dtype[np.float64]]":
        found: np.ndarray[Any, np.dtype[np.float64]]
        found = normalised(numbers_of(examples, self.features), self.moments) * self.weights
        return found

    def save(self, folder: Path) -> None:
        """Write one JSON: of each feature its weight, and that of its mark where it has gaps, else null."""
        width = len(self.features)
        marks = dict(zip(self.moments.gaps, self.weights[width:].tolist(), strict=True))
        columns = {name: getattr(self.moments, name).tolist() for name in ("logged", "mean", "deviation")}
        saved = {"features": self.features, **columns, "weights": self.weights[:width].tolist()}
        gaps = [marks.get(place) for place in range(width)]
        (folder / FILE).write_text(json.dumps(saved | {"gaps": gaps}, indent=1))
