"""`hmgpu benchmark train`: fitting XGBoost and ALS on CPU and GPU, on the same examples and purchases.

The pipeline computes the examples once, from the config's parts that need no model of their own. Trees are fitted to
the same number; ALS also by the library that the CPU uses.
"""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.factorising import benchmark_als
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Contender, measure
from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.extras import missing, remedy
from hmgpu.core.list_length import K
from hmgpu.core.metrics import map_at, ndcg_at
from hmgpu.core.plans import ranked
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import Examples
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retrievers.als import ALS
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.runs.run import Run

TOLERANCE = 0.1  # of the figure: a GPU adds up in another order and samples other rows and columns for its trees


def benchmark_train(
    subject: Subject, engines: Sequence[Engine], absent: Mapping[str, str], repeats: int, trees: int, weeks: int
) -> Result:
    """Measure fitting `trees` trees on `weeks` training weeks, with the validation week scored at every tree, and ALS.

    Without the packages that ALS needs, it is among those that could not run.

    Raises DisagreementError where one device's model ranks the validation week better than another's by more than
    `TOLERANCE` of NDCG@12 or MAP@12, or where `benchmark_als` does.
    """
    config = subject.untrained
    config = config.model_copy(update={"weeks": config.weeks.model_copy(update={"train": weeks})})
    own = _last_trees(config.ranker) or XGBoost()
    ranker = own.model_copy(update={"rounds": trees, "patience": trees})  # so that no fit stops before the others
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(config, engines[0], subject.store, Run(Path(folder), engines[0]))
        files = [file for week in pipeline.weeks.training for file in pipeline.examples(week, training=True)[0].files]
        training, validation = Examples(tuple(files)), pipeline.validation[0]
        rows = sum(table.height for table in training.with_purchases())
        if not rows or not any(True for _ in validation.with_purchases()):
            raise DataError("No candidate was bought in the training or the validation weeks: take more data.")
        judge = Judge(validation, engines[0].collect(subject.store.sold_in(pipeline.weeks.validation)), engines[0])
        contenders = [
            Contender(f"XGBoost, {engine.name.upper()}", partial(ranker.fit, training, validation, engine, config.seed))
            for engine in reversed(engines)
        ]
        measured = measure("fit", rows, "examples", contenders, repeats, judge.check)
        settings = {
            "ranker": ranker.settings(),
            "weeks": [str(week) for week in pipeline.weeks.training],
            "columns": len(training.features()),
            "left_out": subject.left_out,
            "repeats": repeats,
            "engines": [engine.name for engine in engines],
            "tolerance": TOLERANCE,
            "seed": config.seed,
        }
    measurements, agreement = [measured], {"figures": judge.said()}
    if lacking := missing(ALS().needs_packages()):
        absent = {**absent, "ALS": f"{lacking[0]} is not installed: {remedy(lacking[0])}"}
    else:
        fitted, agreement["objective"], part = benchmark_als(subject, engines, repeats)
        measurements.append(fitted)
        settings["als"] = part.settings()
    return Result("train", measurements, agreement, settings, subject.data_facts(), absent)


def _last_trees(ranker: Ranker) -> XGBoost | None:
    """Return the last XGBoost within `ranker`, which is a cascade's careful one."""
    if isinstance(ranker, XGBoost):
        return ranker
    return next(filter(None, map(_last_trees, reversed(ranker.inner))), None)


class Judge:
    """Scores fitted models on the validation week, and remembers the figures."""

    def __init__(self, validation: Examples, labels: pl.DataFrame, engine: Engine) -> None:
        self.validation, self.labels, self.engine = validation, labels, engine
        self.figures: dict[str, dict[str, float]] = {}

    def check(self, models: Mapping[str, Any]) -> None:
        """Score the models; raise DisagreementError where the figures are further apart than `TOLERANCE`."""
        self.figures = {name: self._scored(model) for name, model in models.items()}
        *others, against = self.figures
        for name in others:
            for figure, theirs in self.figures[against].items():
                check_near(f"{figure} of {name} and {against}", self.figures[name][figure], theirs)

    def said(self) -> str:
        """Return the figures, as a sentence."""
        each = [
            f"{name}: {', '.join(f'{figure} {value:.5f}' for figure, value in found.items())}"
            for name, found in self.figures.items()
        ]
        compared = f"within {TOLERANCE:.0%} of each other" if len(each) > 1 else "compared with nothing"
        return f"validation week, {compared}; {'; '.join(each)}"

    def _scored(self, model: Model) -> dict[str, float]:
        tables = [table.select(KEYS).with_columns(score=model.score(table)) for table in self.validation.tables()]
        lists = self.engine.collect(ranked(pl.concat(tables).lazy(), by="customer"))
        return {"NDCG@12": ndcg_at(lists, self.labels, K), "MAP@12": map_at(lists, self.labels, K)}


def check_near(what: str, ours: float, theirs: float) -> None:
    """Raise DisagreementError unless the two figures are within `TOLERANCE` of the larger."""
    if not abs(ours - theirs) <= TOLERANCE * max(ours, theirs):  # so that NaN is refused too
        raise DisagreementError(f"{what}: {ours:.5f} and {theirs:.5f}, further apart than {TOLERANCE:.0%}.")
