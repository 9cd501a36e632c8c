"""The pipeline: a Store in, a list of articles for every customer out.

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

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.progress import stages
from hmgpu.core.runlog import log_file
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week, date_of
from hmgpu.parts.part import Trained
from hmgpu.parts.ranker import Model
from hmgpu.pipeline import evaluate, recommend
from hmgpu.pipeline.about_run import with_facts
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.context import LearnedQuotas, StepContext
from hmgpu.pipeline.evaluate import METRICS, REPORT, FittedWeek
from hmgpu.pipeline.examples import write_examples
from hmgpu.pipeline.fit import LabelledWeeks, fit, join_weeks, refit
from hmgpu.pipeline.learn import Learning
from hmgpu.pipeline.lists import SUBMISSION
from hmgpu.pipeline.origin import origin
from hmgpu.pipeline.quota_steps import learn_quotas
from hmgpu.pipeline.rhythm import measured
from hmgpu.pipeline.schedule import Schedule
from hmgpu.pipeline.usable_parts import usable_parts
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.runs.index import write_index
from hmgpu.runs.run import Run, Step
from hmgpu.runs.seal import seal

log = logging.getLogger(__name__)


class Pipeline:
    """One configured pass over one Store. Every method first does what it depends on, unless the run has it already."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        store: Store,
        run: Run,
        workers: Workers = IN_PROCESS,
        learning: Learning | None = None,
    ) -> None:
        """Set up the pipeline; `open_pipeline` is the usual way to one.

        Args:
            config: what is `auto` in it is measured first.
            learning: what parts learn depends on their own settings and the data alone, so pipelines that differ in
                other things can share it; None creates one.
        """
        if config.ranker.processes > workers.number:
            raise ConfigError(
                f"The ranker must be fitted by {config.ranker.processes} processes (its setting `workers`), but this "
                f"run has {workers.number}: start with --cluster {config.ranker.processes}. Another number would grow "
                "other trees."
            )
        config = measured(config, store, engine, run)
        self.config, self.engine, self.store, self.run, self.workers = config, engine, store, run, workers
        self.weeks, self._reported = Schedule.of(config, store), False
        self.learning = learning or Learning(config, engine, store, run, self.weeks.oldest, workers)
        parts = usable_parts(config, store, self.weeks.oldest)
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
            left_out=parts.left_out,
        )

    @contextmanager
    def working(self) -> Iterator["Pipeline"]:
        """Yield this pipeline; meanwhile keep other processes out of the run, and write its log.

        At its end the page of all runs is written, if a page of this one was.
        """
        with self.run.locked(), log_file(self.run.folder / "log.jsonl"):
            data = {"data": self.store.digest, "last_day": str(date_of(self.store.last_day))}
            parts = {"left_out": dict(self._without_quotas.left_out)}
            self.run.describe(self.config.settings(), data | parts | {"auto": self.config.found} | origin(self.config))
            weeks = ", ".join(map(str, self.weeks.training))
            log.info("run %s on the %s engine (%s)", self.run.folder, self.engine.name, self.engine.reason)
            log.info("weeks, by their first day: training on %s; validation on %s", weeks, self.weeks.validation)
            yield self
        if self._reported:
            write_index(self.run.folder.parent)

    def learn(self, week: Week) -> dict[str, Step]:
        """Let every part learn, for everybody, from all that was known before `week`; one step per part."""
        return self.learning.learn(week, self._without_quotas.learners)

    @cached_property
    def quotas(self) -> LearnedQuotas | None:
        """Return which candidates are kept, learned from weeks before all training weeks; None keeps all."""
        quotas = self.config.quotas
        if quotas is None:
            return None
        log.debug("quotas: learn how often each retriever's candidates were bought before the training weeks")
        return learn_quotas(self._without_quotas, quotas, self.weeks.quotas)

    @cached_property
    def context(self) -> StepContext:
        """Return the context of the steps after the quotas."""
        return replace(self._without_quotas, quotas=self.quotas)

    def examples(self, week: Week, training: bool) -> LabelledWeeks:
        """Describe and label the candidates of the customers who bought in `week`; one step per shard of customers."""
        purpose = "training" if training else "validation" if week == self.weeks.validation else "evaluation"
        log.debug(
            "%s week %s: learn from the sales before it; propose candidates, add features and labels", purpose, week
        )
        return write_examples(self.context, week, training)

    @cached_property
    def training(self) -> LabelledWeeks:
        """Return the examples of all training weeks."""
        return join_weeks(self._training_weeks, self._last_lists)

    @cached_property
    def _training_weeks(self) -> list[LabelledWeeks]:
        return [self.examples(week, training=True) for week in self.weeks.training]

    @cached_property
    def _last_lists(self) -> list[LabelledWeeks]:
        """Return the lists of the last training weeks, as the ranker needs them."""
        ranker, weeks = self.config.ranker, self.weeks.training
        asked = weeks[len(weeks) - ranker.needs_lists :]
        return [write_examples(self.context, week, False, "lists", ranker.most_lists) for week in asked]

    @cached_property
    def validation(self) -> LabelledWeeks:
        """Return the examples of the validation week."""
        return self.examples(self.weeks.validation, training=False)

    def train(self) -> Step:
        """Fit the ranker, and return the step that holds it: as it serves the week after the data."""
        return self.ranker_of(self.store.next_week)

    def ranker_of(self, week: Week) -> Step:
        """Return the step that holds the ranker for `week`: another after the validation week, with `weeks.refit`."""
        return self._refitted if self.config.weeks.refit and week > self.weeks.validation else self._fitted

    @cached_property
    def _fitted(self) -> Step:
        # Once per pipeline: evaluating and recommending both ask for it, and asking hashes all of its inputs.
        context, training, validation = self.context, self.training, self.validation
        log.debug("fit the ranker on the training weeks, until it stops improving on the validation week")
        fitted = fit(context, training, validation)
        if not self.config.weeks.refit:
            self.run.show("model", fitted.folder)
        return fitted

    @cached_property
    def _refitted(self) -> Step:
        fitted, validation = self._fitted, self.weeks.validation
        newest = write_examples(self.context, validation, training=True, name="training")
        # The validation week's candidates are all there already.
        lists = [*self._last_lists, self.validation][1:] if self._last_lists else []
        log.debug("fit the ranker again, with what was bought in the validation week")
        refitted = refit(self.context, fitted, join_weeks([*self._training_weeks, newest], lists))
        self.run.show("model", refitted.folder)
        return refitted

    def evaluate(self, week: Week | None = None) -> Path:
        """Write `metrics.json`, next to it every buyer's list and average precision, and `report.html` of a week.

        By default of the validation week; a later `week` has neither fitted nor stopped the ranker.
        """
        on = self._fitted_week(week or self.weeks.validation)
        log.debug("evaluate the lists of the customers who bought in week %s", on.week)
        judged = evaluate.judge(self.context, on)
        reported = evaluate.report(self.context, on, judged)
        self._reported = True
        if on.week == self.weeks.validation:
            self.run.write(REPORT, lambda: with_facts(reported, judged, self.run, self.config, self.store, self.weeks))
            return self.run.show(METRICS, judged.folder / METRICS)
        return judged.folder / METRICS

    def judge(self, week: Week) -> Path:
        """Write the `metrics.json` of a week without its page, and return the file in the folder of its step."""
        return evaluate.judge(self.context, self._fitted_week(week)).folder / METRICS

    def _fitted_week(self, week: Week) -> FittedWeek:
        fitted, validates = self.ranker_of(week), week == self.weeks.validation
        return FittedWeek(week, fitted, self.validation if validates else self.examples(week, training=False))

    def recommend(self) -> list[Step]:
        """Write every customer's list for the week after the data; one step per shard of customers."""
        fitted = self.train()
        log.debug(
            "recommend for week %s, the first after the data: learn from all sales, propose and rank",
            self.store.next_week,
        )
        return recommend.recommend(self.context, fitted)

    def submit(self) -> Path:
        """Write `submission.csv`, as Kaggle takes it; its step also holds the tables that the run is served from."""
        written = recommend.submit(self.context, self.recommend())
        return self.run.show(SUBMISSION, written.folder / SUBMISSION)

    def finish(self) -> Path:
        """Evaluate, write `submission.csv` and seal the run: from now on none of its files changes."""
        with stages(self._stages()):
            self.evaluate()
            submission = self.submit()
        seal(self.run.folder)
        return submission

    def _stages(self) -> int:
        """Return about how many stages there are, were nothing reused."""
        trained = sum(isinstance(part, Trained) for part in self._without_quotas.learners.values())
        seen, quotas = len(self.weeks.training) + 1, len(self.weeks.quotas)
        learned, described = seen + quotas + 1, seen + self.config.ranker.needs_lists
        encoded = any(part.encoded for part in self._without_quotas.learners.values())
        after = 5 + 2 * self.config.weeks.refit  # fit, evaluate, report, recommend, submit
        return encoded + trained + learned + described + (quotas + 1 if quotas else 0) + after

    def load(self, fitted: Step) -> Model:
        """Load the fitted ranker from its step."""
        return self.config.ranker.load(fitted.folder, self.engine)
