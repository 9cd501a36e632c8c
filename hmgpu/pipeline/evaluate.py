"""The evaluation of a week as steps of a run: the figures, and the page that tells them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.files import write_json
from hmgpu.data.store import History
from hmgpu.data.weeks import Week
from hmgpu.evaluation.figures import evaluate
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.run import report_page
from hmgpu.parts.examples import Examples
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.pipeline.describe import Chosen
from hmgpu.pipeline.learn import FALLBACK, TABLE, Learning
from hmgpu.pipeline.shard_steps import Sharding
from hmgpu.runs.run import Step

METRICS, PRECISIONS, REPORT, ABLATION = "metrics.json", "precisions.parquet", "report.html", "ablation.json"


def ablation_step(week: Week) -> str:
    """Name of the step that has the `ablation.json` of `week`."""
    return f"{week}/ablate/all"


@dataclass(frozen=True)
class EvaluateSteps:
    """Judges a fitted ranker by a week."""

    sharding: Sharding
    quotas: Chosen | None
    """Which candidates are kept; None keeps all."""
    fitted: Step
    """It left the ranker's model."""
    ranker: Ranker
    week: Week
    examples: Examples
    """The described and labelled candidates of all who bought in the week."""
    made: Sequence[Step]
    """The steps that left these."""

    def judged(self) -> Step:
        """`metrics.json`, and beside it every customer's average precisions."""
        retrievers, engine = self.sharding.describer.retrievers, self.sharding.describer.engine

        def make(folder: Path) -> dict[str, int]:
            about = self._labels, self._history, self._model
            figures, precisions = evaluate(self.examples, *about, retrievers, self._filler, engine)
            write_json(folder / METRICS, {"week": str(self.week)} | figures)
            precisions.write_parquet(folder / PRECISIONS)
            return {"customers": figures["customers"]}

        return self.sharding.run.step(f"{self.week}/evaluate", self._settings, self._made_from, make)

    def reported(self, judged: Step) -> Step:
        """`report.html` of what `judged` has found, and of what the run's ablation of the week has, if there is one."""
        describer, store = self.sharding.describer, self._learning.store
        learned = self._learning.learn(self.week, describer.parts)
        ablation = self.sharding.run.there(ablation_step(self.week))

        def make(folder: Path) -> None:
            some = next(self.examples.tables()).select("customer").head(1)
            week = Evaluated(
                metrics=json.loads((judged.folder / METRICS).read_text()),
                precisions=pl.read_parquet(judged.folder / PRECISIONS),
                labels=self._labels,
                history=self._history,
                catalogue=store.as_of(self.week.last_day + 1).articles,
                examples=self.examples,
                model=self._model,
                model_files=self.fitted.folder,
                strategies=list(describer.retrievers),
                families=describer.families(self.week, learned, some, self.quotas),
                filler=self._filler,
                pictures=store.pictures,
                engine=describer.engine,
                ablation=json.loads((ablation.folder / ABLATION).read_text()) if ablation else None,
            )
            (folder / REPORT).write_text(report_page(week), encoding="utf-8")

        told = [judged, *([ablation] if ablation else [])]
        made_from = [*self._made_from, *(step.digest for step in told)]
        return self.sharding.run.step(f"{self.week}/report", self._settings, made_from, make)

    @property
    def _learning(self) -> Learning:
        return self.sharding.describer.learning

    @property
    def _settings(self) -> dict[str, Any]:
        """What decides beside the steps' files: a model may be used with settings that it was not fitted with."""
        return {"ranker": self.ranker.settings(), "parts": self.sharding.describer.settings}

    @property
    def _made_from(self) -> list[str]:
        seen = self._learning.store.digest_before(self.week.last_day + 1)
        return [seen, *(step.digest for step in (self.fitted, self._fallback, *self.made))]

    @cached_property
    def _fallback(self) -> Step:
        return self._learning.learn(self.week, {})[FALLBACK]

    @property
    def _filler(self) -> pl.LazyFrame:
        return pl.scan_parquet(self._fallback.folder / TABLE, glob=False)

    @property
    def _labels(self) -> pl.DataFrame:
        return self.sharding.describer.engine.collect(self._learning.store.sold_in(self.week))

    @property
    def _history(self) -> History:
        return self._learning.store.as_of(self.week.first_day)

    @property
    def _model(self) -> Model:
        return self.ranker.load(self.fitted.folder, self.sharding.describer.engine)
