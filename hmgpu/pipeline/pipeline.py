"""The straight line: a Store in, twelve articles for every customer out.

    Store ─as_of(day)→ History ─learn→ tables ─retrieve→ candidates ─compute→ examples ─fit→ ranker ─score→ top twelve

`Describer` makes the same calls for training, validation and serving; only training and validation join labels
afterwards, so what is learned and what is served can't drift apart.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from hmgpu.core.console import log_file
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, DataError
from hmgpu.data.store import Store, without_vectors
from hmgpu.data.weeks import Week, date_of
from hmgpu.parts.examples import Examples
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import Negatives
from hmgpu.parts.part import Part
from hmgpu.parts.ranker import Model
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.describe import Chosen, Describer
from hmgpu.pipeline.evaluate import METRICS, REPORT, EvaluateSteps
from hmgpu.pipeline.examples import ExampleSteps
from hmgpu.pipeline.learn import Learning
from hmgpu.pipeline.lists import SUBMISSION
from hmgpu.pipeline.quota_steps import QuotaSteps
from hmgpu.pipeline.recommend import RecommendSteps
from hmgpu.pipeline.shard_steps import Sharding
from hmgpu.pipeline.workers import HERE, Workers
from hmgpu.runs.inventory import alike
from hmgpu.runs.run import Run, Step, code_digest
from hmgpu.runs.seal import seal

log = logging.getLogger(__name__)


class Pipeline:
    """One configured pass over one Store. Every method makes what it needs unless the run has it already."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        store: Store,
        run: Run,
        workers: Workers = HERE,
        learning: Learning | None = None,
    ) -> None:
        self.config, self.engine, self.store, self.run, self.workers = config, engine, store, run, workers
        present = store.present
        self.retrievers: dict[str, Retriever] = _usable(config.retrievers, present, "retriever")
        self.features: dict[str, Feature] = _usable(config.features, present, "feature")
        self.negatives: dict[str, Negatives] = _usable(config.negatives, present, "way of drawing negatives")
        _vectors(config, store)
        if not self.retrievers:
            raise ConfigError("No retriever is left: each needs a column that the data does not have.")
        if not self.negatives:
            raise ConfigError("negatives: none is left, each needs a column that the data does not have; add recalled.")
        if config.ranker.processes > workers.number:
            raise ConfigError(
                f"The ranker is to be fitted by {config.ranker.processes} processes (its setting `workers`), and "
                f"{workers.number} can be had: give --cluster that many. Another number makes other trees."
            )
        named = config.weeks.validation
        self.validation_week = store.week_of(named) if named else store.last_complete_week
        self.training_weeks = [self.validation_week.back(weeks) for weeks in range(config.weeks.train, 0, -1)]
        self.quota_weeks = self._quota_weeks(config)
        # What a part learns depends on its own settings and the data alone, so lines with other parts can share it.
        self.learning = learning or Learning(config, engine, store, run, self.oldest(config), workers)
        early = config.ranker.looks_early_at & set(self.features)
        self.describer = Describer(self.retrievers, self.features, self.learning, engine, early)
        keep = config.quotas.keep if config.quotas else None
        self.sharding = Sharding(self.describer, run, workers, config.memory_gb, keep)

    @classmethod
    def open(
        cls, config: Config, engine: Engine, workers: Workers = HERE, others: Sequence[Path] | None = None
    ) -> "Pipeline":
        """The pipeline over the data set and in the run directory that `config` names.

        A run's id is the data's last day and a hash of settings, data, engine and code: the same command finds its run
        again, and no other changes it.

        Args:
            others: folders of runs; what they have made from the same things is copied. None: all in `config.runs`
                that this code made with the same libraries, so that after a change only what it changes is made.
        """
        store = Store(config.data.root)
        store.verify()
        # Where things lie and how much memory there is decides nothing about what comes out.
        places = ("runs", "engine", "memory_gb", "data", "retrain")
        decides = {key: value for key, value in config.settings().items() if key not in places}
        vectors = _vectors(config, store)  # those that no part looks at decide nothing
        made_from = json.dumps([decides, store.digest, engine.name, code_digest(), *vectors])
        name = f"{date_of(store.last_day)}-{hashlib.sha256(made_from.encode()).hexdigest()[:8]}"
        folder = config.runs / name
        known = alike(config.runs, engine) if others is None else others
        copied = tuple(Run(other, engine) for other in known if other.resolve() != folder.resolve())
        return cls(config, engine, store, Run(folder, engine, others=copied), workers)

    @contextmanager
    def working(self) -> Iterator["Pipeline"]:
        """This line; keeps others out of the run and writes its log while it is worked on."""
        with self.run.locked(), log_file(self.run.folder / "log.jsonl"):
            facts = {"data": self.store.digest, "last_day": str(date_of(self.store.last_day))}
            self.run.describe(self.config.settings(), facts)
            weeks = ", ".join(map(str, self.training_weeks))
            log.info("run %s on the %s engine (%s)", self.run.folder, self.engine.name, self.engine.reason)
            log.info("training weeks %s; validation week %s", weeks, self.validation_week)
            yield self

    # --- learn ---------------------------------------------------------------------------------------------------

    def learn(self, week: Week) -> dict[str, Step]:
        """What every part learns for everybody from all that was known before `week`, one step a part."""
        return self.learning.learn(week, self.describer.parts)

    @cached_property
    def quotas(self) -> Chosen | None:
        """Which candidates are kept, learned from weeks before all that are trained on; None keeps all."""
        quotas = self.config.quotas
        if not quotas:
            return None
        return QuotaSteps(self.sharding, quotas, self.config.seed).learned(self.quota_weeks)

    # --- examples ------------------------------------------------------------------------------------------------

    def examples(self, week: Week, training: bool) -> tuple[Examples, list[Step]]:
        """Described and labelled candidates of the customers who bought in `week`, one step a customer shard."""
        return self._example_steps.made(week, training)

    # --- rank ----------------------------------------------------------------------------------------------------

    @property
    def _example_steps(self) -> ExampleSteps:
        return ExampleSteps(self.sharding, self.negatives, self.quotas, self.config.seed)

    @cached_property
    def training(self) -> tuple[Examples, list[Step]]:
        weeks = [self.examples(week, training=True) for week in self.training_weeks]
        files = tuple(file for examples, _ in weeks for file in examples.files)
        steps = [step for _, steps in weeks for step in steps]
        lists = tuple[Path, ...]()
        if self.config.ranker.needs_lists:
            last, more = self._example_steps.made(self.training_weeks[-1], training=False, name="lists")
            lists, steps = last.files, [*steps, *more]
        return Examples(files, latest=len(weeks[-1][0].files) if len(weeks) > 1 else None, lists=lists), steps

    @cached_property
    def validation(self) -> tuple[Examples, list[Step]]:
        return self.examples(self.validation_week, training=False)

    def train(self) -> Step:
        """The fitted ranker."""
        return self._fitted

    @cached_property
    def _fitted(self) -> Step:
        # Once a pipeline: evaluating and recommending both ask, and every asking hashes all that it was made from.
        training, training_steps = self.training
        validation, validation_steps = self.validation

        def make(folder: Path) -> None:
            if not any(True for _ in training.tables()):
                weeks = ", ".join(map(str, self.training_weeks))
                raise ConfigError(f"No candidate was bought in the training weeks {weeks}: nothing to fit a ranker on.")
            ranker, seed = self.config.ranker, self.config.seed
            ranker.fit(training, validation, self.engine, seed, self.workers.client).save(folder)

        made_from = _digests([*training_steps, *validation_steps])
        settings = self.config.ranker.settings() | {"seed": self.config.seed}
        fitted = self.run.step("fit", settings, made_from, make)
        self.run.show("model", fitted.folder)
        return fitted

    def evaluate(self, week: Week | None = None) -> Path:
        """`metrics.json` and `report.html` of a week, and beside the former's file every customer's average precisions.

        By default the validation week; a later `week` has neither fitted nor stopped the ranker.
        """
        week = week or self.validation_week
        steps = self._evaluating(week)
        judged = steps.judged()
        reported = steps.reported(judged)
        if week == self.validation_week:
            self.run.show(REPORT, reported.folder / REPORT)
            return self.run.show(METRICS, judged.folder / METRICS)
        return judged.folder / METRICS

    def judge(self, week: Week) -> Path:
        """The `metrics.json` of a week alone, as its step leaves it, without a page."""
        return self._evaluating(week).judged().folder / METRICS

    def _evaluating(self, week: Week) -> EvaluateSteps:
        fitted = self.train()
        examples, made = self.validation if week == self.validation_week else self.examples(week, training=False)
        return EvaluateSteps(self.sharding, self.quotas, fitted, self.config.ranker, week, examples, made)

    def recommend(self) -> list[Step]:
        """Twelve articles for every customer in the week after the data, one step a customer shard."""
        return self._recommending.made()

    def submit(self) -> Path:
        """`submission.csv`, as Kaggle takes it; beside it the step leaves the tables that the run is served from."""
        written = self._recommending.submitted()
        return self.run.show(SUBMISSION, written.folder / SUBMISSION)

    @property
    def _recommending(self) -> RecommendSteps:
        return RecommendSteps(self.sharding, self.quotas, self.train(), self.config.ranker)

    def finish(self) -> Path:
        """All of it, sealed: `metrics.json` and `submission.csv`, and from now on no file of the run changes."""
        self.evaluate()
        submission = self.submit()
        seal(self.run.folder)
        return submission

    # --- small print ---------------------------------------------------------------------------------------------

    def load(self, fitted: Step) -> Model:
        """The fitted ranker from its step."""
        return self.config.ranker.load(fitted.folder, self.engine)

    def _quota_weeks(self, config: Config) -> list[Week]:
        """The weeks that `config` learns quotas from, those right before its oldest training week."""
        earliest = self.validation_week.back(config.weeks.train)
        return [earliest.back(back) for back in range(config.quotas.weeks, 0, -1)] if config.quotas else []

    def oldest(self, config: Config) -> Week:
        """The first week that `config` looks at: workflows and models are made before it."""
        return [*self._quota_weeks(config), self.validation_week.back(config.weeks.train)][0]


def _usable(parts: Mapping[str, Any], present: frozenset[str], what: str) -> dict[str, Any]:
    """Those of `parts` whose columns are in the data; the others leave themselves out, with a line in the log."""
    usable = {}
    for name, part in parts.items():
        absent = part.needs() - present
        if absent:
            log.warning("%s %s is left out: the data has no %s", what, name, ", ".join(sorted(absent)))
        else:
            usable[name] = part
    return usable


def _vectors(config: Config, store: Store) -> list[str]:
    """Hash of each table of vectors that a part looks at. Raises DataError where the data set has none."""
    parts: dict[str, Part] = {f"retrievers.{name}": part for name, part in config.retrievers.items()}
    parts |= {f"features.{name}": part for name, part in config.features.items()}
    wanted = {of: name for name, part in parts.items() for of in part.needs_vectors()}
    for of, name in wanted.items():
        if of not in store.manifest.vectors:
            raise DataError(f"{name}: {without_vectors(of, store.root)}")
    return [store.vectors_before(of, store.last_day + 1) for of in sorted(wanted)]


def _digests(steps: Iterable[Step]) -> list[str]:
    return [step.digest for step in steps]
