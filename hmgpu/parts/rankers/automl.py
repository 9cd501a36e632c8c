"""Rankers of several kinds, their settings and their weights, found by itself within a budget of fits.

The final decision of a public solution of the H&M competition: the outputs of all its models as one table, and an
automatically tuned ensemble over it. Candidates have every retriever's score and rank and all features next to each
other, so this ranker fits trees of three libraries, a logistic regression and a dense network on them
(`models/automl/search.py`) and chooses the ensemble on weeks that none of them was fitted on
(`models/automl/ensemble.py`). Its members are then fitted again, on all training weeks. `hmgpu table` writes the table.
"""

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import missing, remedy
from hmgpu.core.plans import sample
from hmgpu.parts.auto import Measured, Rhythm, between
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.automl.ensemble import TOP, Lists, Matrix, chosen
from hmgpu.parts.models.automl.record import LEAST, ORDER, even, record_of, said, values_of
from hmgpu.parts.models.automl.search import tried
from hmgpu.parts.models.automl.spaces import steps
from hmgpu.parts.part import Count, build
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.parts.rankers.blend import BlendModel
from hmgpu.parts.rankers.order import Order, ranked_by
from hmgpu.parts.rankers.xgboost import depth_of, rate_of

log = logging.getLogger(__name__)

FILE = "automl.json"
Kind = Literal["xgboost", "lightgbm", "catboost", "logistic", "dnn"]


def _weeks(rhythm: Rhythm) -> int:
    """One in six training weeks, as many as eight."""
    return between(1, rhythm.weeks / 6, 8)


class AutoML(Ranker):
    """An ensemble of rankers of several kinds, whose settings and weights are found within a budget of fits."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = ("xgboost", "lightgbm", "catboost", "logistic", "dnn")
    """The kinds that are fitted, one after the other. One whose package is not installed is left out, with a line."""
    fits: Count = 15
    """How many models are fitted in search of settings; the first of each kind has its default settings. The members of
    the ensemble are fitted once more."""
    depth: Annotated[Count, Measured(depth_of)] = 7
    """Depth of the first trees of each kind, in levels, as far as it would else be more."""
    learning_rate: Annotated[float, Field(gt=0), Measured(rate_of)] = 0.1
    """How much each of the first trees contributes: small steps where few lists decide when to stop."""
    weeks: Annotated[Count, Measured(_weeks)] = 1
    """The last training weeks, on whose lists the models are judged; they are fitted on those before."""
    fitted: Count | None = 50_000
    """Customers whose examples each model is fitted on, sampled at random among those who bought a candidate; null
    takes all. Their examples are in memory at once."""
    judged: Count | None = 10_000
    """Buyers of each of the last weeks whose lists the models are judged on, sampled at random; null takes all."""
    order: bool = True
    """Whether the order of the retrievers may be a member, too; it costs no fit."""
    picks: Count = 25
    """How many times a model is added to the ensemble; its weight is how often it was."""
    most: Count = 5
    """Different members that the ensemble may have. Each is fitted again and scores all candidates."""
    smooth: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    """Added to each rank before it divides the weight: the more, the less the very first places count compared with
    the next."""

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"optuna"})

    @property
    def needs_lists(self) -> int:
        return self.weeks

    @property
    def most_lists(self) -> int | None:
        return self.judged

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "AutoMLModel":
        earlier = reduce(lambda examples, _: examples.before_last_week(), range(self.weeks), training)
        if not earlier.files:
            raise ConfigError(
                f"ranker.kind: automl judges on the last {self.weeks} training weeks; set weeks.train to "
                f"{self.weeks + 1} or more."
            )
        kinds, left_out = self._usable()
        lists = Lists.of(self._judged(training, seed))
        worth = dict[str, Matrix]()
        with tempfile.TemporaryDirectory() as folder:
            some = self._sample(earlier, seed, Path(folder) / "examples")

            def value_of(name: str, ranker: Ranker) -> float:
                model = ranker.fit(some, validation, engine, seed)
                scores = [model.score(table) for table in self._judged(training, seed)]
                worth[name] = lists.worth(scores or [pl.Series(dtype=pl.Float32)], self.smooth)
                return values_of(lists, worth[name])[f"ndcg_at_{TOP}"]

            found = tried(kinds, self._first(), self.fits, seed, value_of)
            if self.order and ranked_by(training.features()):
                found[ORDER] = Order()
                value_of(ORDER, found[ORDER])
        enough = lists.shape[0] >= LEAST
        weights = chosen(lists, worth, self.picks, self.most) if enough else even([*found])
        settings = {name: ranker.settings() for name, ranker in found.items()}
        record = record_of(lists, worth, settings, weights) | {"weeks": self.weeks, "left_out": left_out}
        log.info("automl: %s", said(record))
        with tempfile.TemporaryDirectory() as folder:
            some = self._sample(training, seed, Path(folder) / "examples")
            members = {name: found[name].fit(some, validation, engine, seed) for name in weights}
        return AutoMLModel(BlendModel(members, weights, self.smooth), record)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> "AutoMLModel":
        assert isinstance(fitted, AutoMLModel)
        rankers = fitted.rankers()
        with tempfile.TemporaryDirectory() as folder:
            some = self._sample(training, seed, Path(folder) / "examples")
            again = {
                name: rankers[name].refit(model, some, engine, seed) for name, model in fitted.blend.models.items()
            }
        return AutoMLModel(BlendModel(again, fitted.blend.weights, fitted.blend.smooth), fitted.record)

    def load(self, folder: Path, engine: Engine) -> "AutoMLModel":
        saved = json.loads((folder / FILE).read_text(encoding="utf-8"))
        rankers = _rankers(saved["record"])
        members = {name: rankers[name].load(folder / name, engine) for name in saved["weights"]}
        return AutoMLModel(BlendModel(members, saved["weights"], saved["smooth"]), saved["record"])

    def _usable(self) -> tuple[list[str], dict[str, str]]:
        """Return the kinds whose packages are installed, and why the others are left out."""
        lacking: dict[str, list[str]] = {kind: missing(build(Ranker, kind, {}).needs_packages()) for kind in self.kinds}
        left_out = {
            kind: f"it needs {', '.join(packages)}; {remedy(packages[0])}"
            for kind, packages in lacking.items()
            if packages
        }
        for kind, why in left_out.items():
            log.warning("automl: %s is left out: %s", kind, why)
        usable: list[str] = [kind for kind in self.kinds if kind not in left_out]
        if not usable:
            raise ConfigError(f"ranker.kinds: none of them is installed: {next(iter(left_out.values()))}.")
        return usable, left_out

    def _first(self) -> dict[str, dict[str, Any]]:
        """Return settings of the first fits that differ from a kind's defaults."""
        trees = steps(self.learning_rate)
        return {
            "xgboost": {"depth": self.depth, **trees},
            "lightgbm": {"leaves": min(31, 2**self.depth), **trees},
            "catboost": {"depth": min(6, self.depth), **trees},
        }

    def _judged(self, training: Examples, seed: int) -> Iterator[pl.DataFrame]:
        """Yield the lists of the last weeks, of customers who bought one of their candidates."""
        for files in training.lists[-self.weeks :]:
            week = Examples(files, training.only_early)
            customers = sample(week.customers_with_purchases(), self.judged, seed)["customer"].implode()
            yield from (table.filter(pl.col("customer").is_in(customers)) for table in week.with_purchases())

    def _sample(self, examples: Examples, seed: int, folder: Path) -> Examples:
        """Return the examples of as many customers as each model is fitted on, written into `folder` if not of all."""
        buyers = examples.customers_with_purchases()
        few = sample(buyers, self.fitted, seed)
        return examples if few.height == buyers.height else examples.of(few, folder)


@dataclass(frozen=True)
class AutoMLModel(Model):
    """The fitted ensemble, and what was tried."""

    blend: BlendModel
    record: Mapping[str, Any]

    @property
    def within(self) -> Mapping[str, Model]:
        return self.blend.models

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the sum of weight / (smooth + rank) over the members; `examples` must hold all rows of a customer."""
        return self.blend.score(examples)

    def rankers(self) -> dict[str, Ranker]:
        """Return the settings of all that was tried, by name."""
        return _rankers(self.record)

    def save(self, folder: Path) -> None:
        saved = {"weights": dict(self.blend.weights), "smooth": self.blend.smooth, "record": dict(self.record)}
        (folder / FILE).write_text(json.dumps(saved, indent=1), encoding="utf-8")
        for name, model in self.blend.models.items():
            (folder / name).mkdir()
            model.save(folder / name)


def _rankers(record: Mapping[str, Any]) -> dict[str, Ranker]:
    return {each["name"]: build(Ranker, "", each["settings"]) for each in record["tried"]}
