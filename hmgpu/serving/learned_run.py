"""A finished run that can recommend to anybody: its ranker and all that its parts learned, in memory."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError
from hmgpu.core.extras import missing, remedy
from hmgpu.core.parquet import read_table
from hmgpu.data.open_store import open_store
from hmgpu.data.store import History, Store
from hmgpu.data.weeks import Week, day_number
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.part import Learned, Learner, PartContext, Trained
from hmgpu.parts.ranker import Model
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.context import LearnedQuotas, StepContext
from hmgpu.pipeline.describe import ProposedCandidates, propose_from
from hmgpu.pipeline.explain import Facts, facts_of
from hmgpu.pipeline.learn import FALLBACK, TABLE, Learning, P, cut_out, with_customers
from hmgpu.pipeline.reasons import Pair
from hmgpu.pipeline.recommend import ranked_lists
from hmgpu.pipeline.workers import IN_PROCESS
from hmgpu.runs.run import Run, Step
from hmgpu.serving.finished_run import AGAIN, FinishedRun, FinishedStep

ENGINE = Engine("cpu", "serves one customer after the other", small=True)


class HeldLearning(Learning):
    """What a finished run learned; it learns nothing more, and what it loads it keeps."""

    def __init__(self, config: Config, store: Store, run: Run, week: Week, encode: FinishedStep | None) -> None:
        super().__init__(config, ENGINE, store, run, week)
        self._kept: dict[Path, Any] = {}
        self._encode = encode

    def bind(self, part: P, model: Path | None = None) -> P:
        return part.bind(PartContext(self.engine, self.config.seed, self._encoders, model, None, self._kept))

    def _encoders(self) -> Any:
        assert self._encode is not None, "no part was encoded"
        if self._encode.folder not in self._kept:
            from hmgpu.parts.models.encode.few_rows import FewRowEncoders  # loads Merlin, which takes seconds

            self._kept[self._encode.folder] = FewRowEncoders.load(self._encode.folder, self.engine)
        return self._kept[self._encode.folder]


@dataclass(frozen=True)
class LearnedRun:
    """All that lists are computed from, apart from what the customers bought."""

    context: StepContext
    parts: Mapping[str, Learner]
    """The parts, bound to their models, by the names of their steps."""
    tables: Mapping[str, Learned]
    """What each of them learned for everybody, in memory."""
    model: Model
    filler: pl.LazyFrame
    """(article, rank), the best sellers that fill up lists."""
    history: History
    """What was known before the week of the lists; its articles are in memory."""

    @classmethod
    def open(cls, run: FinishedRun, data: Path | None = None) -> "LearnedRun":
        """Load what `run` learned.

        Args:
            data: the folder of the data set, which has the articles' and customers' attributes; None: the run's own.

        Raises RunError where the data set is another than the one that the run learned from, or a file of the run was
        changed; DataError where there is no data set.
        """
        config = load_config(run.folder / "config.yaml", {} if data is None else {"data.root": data})
        store = open_store(config.data, config.weeks.gap)
        shard = run.steps_with(run.submitted.inputs, "*/recommend/*")[0]
        week = Week(day_number(date.fromisoformat(shard.folder.parent.parent.name)))
        steps = {step.folder.name: step for step in run.steps_with(shard.inputs, f"{week}/learn/*")}
        inputs = frozenset[str]().union(*(step.inputs for step in steps.values()))
        encode = next(iter(run.steps_with(inputs, "*/encode")), None)
        learning = HeldLearning(config, store, Run(run.folder, ENGINE), week, encode)
        _refuse_others(store, learning, steps[FALLBACK], shard, week, run)
        context = _context(config, store, learning, run, shard)
        parts, tables = {}, {}
        for name, part in context.learners.items():
            if name not in steps:
                raise RunError(f"{run.folder} lacks what {name} learned: {AGAIN}.")
            model = _checked(*run.steps_with(steps[name].inputs, "*/train/*")) if isinstance(part, Trained) else None
            parts[name] = learning.bind(part, model)
            tables[name] = dict(_tables(steps[name]))
        if encode is not None:
            _checked(encode)
        history = store.as_of(week.first_day)
        history = replace(history, articles=ENGINE.collect(history.articles).lazy())
        model_ = config.ranker.load(_checked(run.ranker), ENGINE)
        filler = read_table(steps[FALLBACK].file(TABLE)).lazy()
        return cls(context, parts, tables, model_, filler, history)

    def lists(
        self, audience: History, customers: pl.DataFrame, more: int = 0, explained: Collection[int] = ()
    ) -> tuple[pl.DataFrame, dict[Pair, Facts]]:
        """Return (customer, article, rank), the list of each of `customers` (customer), as the run would write it.

        Args:
            audience: the history of these customers alone, in memory.
            customers: those who get a list.
            more: articles that a list has in addition.
            explained: customers whose lists are explained.

        Returns:
            The lists, and why each article is on those that are explained: see `pipeline.explain.facts_of`.
        """
        context = replace(self.context, k=self.context.k + more)
        proposed = self.propose(audience, customers)
        found = ranked_lists(context, self.model, self.filler, proposed, customers)
        if not explained:
            return found, {}
        pairs = found.filter(pl.col("customer").is_in(list(explained))).select(KEYS).sort(KEYS)
        return found, facts_of(context, self.model, proposed, pairs)

    def propose_for(self, customers: pl.DataFrame) -> ProposedCandidates:
        """Return all candidates of `customers` (customer), as known in the run's data set."""
        return self.propose(cut_out(self.history.of(customers), ENGINE), customers)

    def propose(self, audience: History, customers: pl.DataFrame) -> ProposedCandidates:
        """Return all candidates of `customers` (customer), of whom `audience` is known."""
        tables = {name: with_customers(part, self.tables[name], audience, ENGINE) for name, part in self.parts.items()}
        return propose_from(self.context, tables, audience, customers)


def _context(config: Config, store: Store, learning: Learning, run: FinishedRun, shard: FinishedStep) -> StepContext:
    left_out: Mapping[str, str] = run.manifest.get("left_out", {})
    retrievers = {name: part for name, part in config.retrievers.items() if f"retrievers.{name}" not in left_out}
    features = {name: part for name, part in config.features.items() if f"features.{name}" not in left_out}
    needed = [part.needs_packages() for part in (*retrievers.values(), *features.values(), config.ranker)]
    uninstalled = missing(frozenset[str]().union(*needed))
    if uninstalled:
        raise RunError(
            f"{run.folder} was computed with {', '.join(uninstalled)}, not installed here: {remedy(uninstalled[0])}."
        )
    quotas = None
    if config.quotas is not None:
        step = run.steps_with(shard.inputs, "quotas")[0]
        quotas = LearnedQuotas(config.quotas.keep, Step("quotas", _checked(step), step.digest))
    return StepContext(
        store=store,
        engine=ENGINE,
        run=learning.run,
        workers=IN_PROCESS,
        learning=learning,
        retrievers=retrievers,
        features=features,
        negatives={},
        ranker=config.ranker,
        k=config.lists.k,
        seed=config.seed,
        memory_gb=config.memory_gb,
        quotas=quotas,
    )


def _refuse_others(
    store: Store, learning: Learning, fallback: FinishedStep, shard: FinishedStep, week: Week, run: FinishedRun
) -> None:
    """Raise RunError where the data before `week`, or the rules of lists, are not what the run knew."""
    if store.digest_before(week.first_day) not in fallback.inputs:
        raise RunError(
            f"The data set in {store.root} is not the one that {run.folder} learned from: name that one, or retrain."
        )
    settings = fallback.manifest["settings"]
    if {key: value for key, value in settings.items() if key != "k"} != learning.exclusions.settings():
        raise RunError(f"{learning.config.lists.exclude} has changed since {run.folder} was computed: {AGAIN}.")
    ranked_by = learning.reranking.decisive() if learning.reranking else {}
    if any(shard.manifest["settings"].get(name) != value for name, value in ranked_by.items()):
        raise RunError(f"The rules of lists.diversify have changed since {run.folder} was computed: {AGAIN}.")


def _checked(*steps: FinishedStep) -> Path:
    """Return the folder of a step whose files are all as it wrote them."""
    for name in steps[0].files:
        steps[0].file(name)
    return steps[0].folder


def _tables(step: FinishedStep) -> Iterator[tuple[str, pl.LazyFrame]]:
    for name in sorted(step.files):
        if name.endswith(".parquet"):
            table = read_table(step.file(name))
            if table.columns and table[table.columns[0]].is_sorted():  # as it was written; then it isn't sorted again
                table = table.set_sorted(table.columns[0])
            yield Path(name).stem, table.lazy()
