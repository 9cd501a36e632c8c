"""The pipeline: a Store in, twelve articles for every customer out.

    Store ─as_of(day)→ History ─learn→ tables ─retrieve→ candidates ─compute→ examples ─fit→ ranker ─score→ top k

Training, validation and serving make the same calls to describe candidates; only training and validation join labels
afterwards, so training and serving can't drift apart.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from hmgpu.core.console import log_file
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week, date_of
from hmgpu.parts.ranker import Model
from hmgpu.pipeline import evaluate, recommend
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.context import LearnedQuotas, StepContext
from hmgpu.pipeline.evaluate import METRICS, REPORT, FittedWeek
from hmgpu.pipeline.examples import write_examples
from hmgpu.pipeline.fit import LabelledWeeks, fit, together
from hmgpu.pipeline.learn import Learning
from hmgpu.pipeline.lists import SUBMISSION
from hmgpu.pipeline.quota_steps import learn_quotas
from hmgpu.pipeline.schedule import Schedule
from hmgpu.pipeline.usable_parts import usable_parts
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.runs.run import Run, Step
from hmgpu.runs.seal import seal

log = logging.getLogger(__name__)


class Pipeline:
    """One configured pass over one Store. Every method does what it needs first, unless the run has it already."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        store: Store,
        run: Run,
        workers: Workers = IN_PROCESS,
        learning: Learning | None = None,
    ) -> None:
        """See `open_pipeline` for the usual way to one.

        Args:
            learning: what parts learn depends on their own settings and the data alone, so pipelines that differ in
                other things can share it; None starts one of its own.
        """
        if config.ranker.processes > workers.number:
            raise ConfigError(
                f"The ranker is to be fitted by {config.ranker.processes} processes (its setting `workers`), but "
                f"{workers.number} can be had: give --cluster that many. Another number grows other trees."
            )
        self.config, self.engine, self.store, self.run, self.workers = config, engine, store, run, workers
        self.weeks = Schedule.of(config, store)
        self.learning = learning or Learning(config, engine, store, run, self.weeks.oldest, workers)
        parts = usable_parts(config, store)
        self.retrievers, self.features = parts.retrievers, parts.features
        self._without_quotas = StepContext(
            store,
            engine,
            run,
            workers,
            self.learning,
            parts.retrievers,
            parts.features,
            parts.negatives,
            config.ranker,
            config.lists.k,
            config.seed,
            config.memory_gb,
        )

    @contextmanager
    def working(self) -> Iterator["Pipeline"]:
        """This pipeline; keeps others out of the run and writes its log while it is worked on."""
        with self.run.locked(), log_file(self.run.folder / "log.jsonl"):
            facts = {"data": self.store.digest, "last_day": str(date_of(self.store.last_day))}
            self.run.describe(self.config.settings(), facts)
            weeks = ", ".join(map(str, self.weeks.training))
            log.info("run %s on the %s engine (%s)", self.run.folder, self.engine.name, self.engine.reason)
            log.info("training weeks %s; validation week %s", weeks, self.weeks.validation)
            yield self

    def learn(self, week: Week) -> dict[str, Step]:
        """What every part learns for everybody from all that was known before `week`, one step a part."""
        return self.learning.learn(week, self._without_quotas.learners)

    @cached_property
    def quotas(self) -> LearnedQuotas | None:
        """Which candidates are kept, learned from weeks before all training weeks; None keeps all."""
        quotas = self.config.quotas
        return learn_quotas(self._without_quotas, quotas, self.weeks.quotas) if quotas else None

    @cached_property
    def context(self) -> StepContext:
        """What the steps after the quotas work with."""
        return replace(self._without_quotas, quotas=self.quotas)

    def examples(self, week: Week, training: bool) -> LabelledWeeks:
        """Described and labelled candidates of the customers who bought in `week`, one step a shard of customers."""
        return write_examples(self.context, week, training)

    @cached_property
    def training(self) -> LabelledWeeks:
        """The examples of all training weeks."""
        weeks = [self.examples(week, training=True) for week in self.weeks.training]
        last = self.weeks.training[-1]
        wanted = self.config.ranker.needs_lists
        return together(weeks, write_examples(self.context, last, training=False, name="lists") if wanted else None)

    @cached_property
    def validation(self) -> LabelledWeeks:
        """The examples of the validation week."""
        return self.examples(self.weeks.validation, training=False)

    def train(self) -> Step:
        """The step that holds the fitted ranker."""
        return self._fitted

    @cached_property
    def _fitted(self) -> Step:
        # Once a pipeline: evaluating and recommending both ask, and every asking hashes all that it is made from.
        fitted = fit(self.context, self.training, self.validation)
        self.run.show("model", fitted.folder)
        return fitted

    def evaluate(self, week: Week | None = None) -> Path:
        """`metrics.json` and `report.html` of a week; every buyer's list and average precision lie next to the former.

        By default the validation week; a later `week` has neither fitted nor stopped the ranker.
        """
        on = self._fitted_week(week or self.weeks.validation)
        judged = evaluate.judge(self.context, on)
        reported = evaluate.report(self.context, on, judged)
        if on.week == self.weeks.validation:
            self.run.show(REPORT, reported.folder / REPORT)
            return self.run.show(METRICS, judged.folder / METRICS)
        return judged.folder / METRICS

    def judge(self, week: Week) -> Path:
        """The `metrics.json` of a week alone, in the folder of its step, without a page."""
        return evaluate.judge(self.context, self._fitted_week(week)).folder / METRICS

    def _fitted_week(self, week: Week) -> FittedWeek:
        fitted = self.train()
        validates = week == self.weeks.validation
        return FittedWeek(week, fitted, self.validation if validates else self.examples(week, training=False))

    def recommend(self) -> list[Step]:
        """Twelve articles for every customer in the week after the data, one step a shard of customers."""
        return recommend.recommend(self.context, self.train())

    def submit(self) -> Path:
        """`submission.csv`, as Kaggle takes it; its step also holds the tables that the run is served from."""
        written = recommend.submit(self.context, self.recommend())
        return self.run.show(SUBMISSION, written.folder / SUBMISSION)

    def finish(self) -> Path:
        """All of it, sealed: `metrics.json` and `submission.csv`, and from now on no file of the run changes."""
        self.evaluate()
        submission = self.submit()
        seal(self.run.folder)
        return submission

    def load(self, fitted: Step) -> Model:
        """The fitted ranker from its step."""
        return self.config.ranker.load(fitted.folder, self.engine)
