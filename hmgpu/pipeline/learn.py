"""Learn, week by week, for workflows, models and parts: in steps that pipelines with other parts can share."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from hmgpu.core.engine import Engine, in_order
from hmgpu.core.parquet import scan_table
from hmgpu.data.store import History, Store
from hmgpu.data.weeks import DAYS, Week
from hmgpu.parts.part import Learned, Learner, Part, PartContext, Trained
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.diversify import Reranking
from hmgpu.pipeline.exclusions import Exclusions
from hmgpu.pipeline.lists import best_sellers
from hmgpu.pipeline.usable_parts import digests_of_files
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.runs.run import Run, Step, code_digest

if TYPE_CHECKING:  # the real import loads Merlin, which takes seconds and which most parts don't need
    from hmgpu.parts.models.encode.workflow import Encoders

P = TypeVar("P", bound=Part)

FALLBACK = "fallback"
TABLE = "table.parquet"
CACHE = "cache"
"""In the folder of the runs: what parts keep from run to run. It may be removed at any time."""


def cut_out(audience: History, engine: Engine) -> History:
    """Return `audience` with its rows in memory: collected once, since a dozen parts read them."""
    sold, customers = (engine.collect(rows) for rows in (audience.transactions, audience.customers))
    return replace(audience, transactions=sold.lazy(), customers=customers.lazy())


def with_customers(part: Learner, known: Learned, audience: History, engine: Engine) -> Learned:
    """Return what the bound `part` has learned for everybody, with what it learns of the customers of `audience`."""
    own = part.learn_customers(known, audience)
    return known | {name: engine.collect(plan).lazy() for name, plan in own.items()}


def all_learned(part: Learner, history: History, audience: History, engine: Engine) -> Learned:
    """Return all tables that the bound `part` learns, for everybody and for the customers of `audience`, executed.

    What it learns for everybody has its rows in the order in which a run writes them.
    """
    return with_customers(part, executed(part.learn(history), engine), audience, engine)


def executed(plans: Learned, engine: Engine) -> Learned:
    """Return the tables of `plans`, their rows in the order in which a run writes them."""
    return {name: engine.collect(in_order(plan)).lazy() for name, plan in plans.items()}


def filler(learned: Mapping[str, Step]) -> pl.LazyFrame:
    """Return (article, rank), the best sellers that fill up lists.

    Args:
        learned: what `Learning.learn` returned for the week of the lists, with the parts or without any.
    """
    return scan_table(learned[FALLBACK].folder / TABLE)


class Learning:
    """Fits workflows and trains models at the oldest training week's cutoff; learns from every week's History."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        store: Store,
        run: Run,
        oldest: Week,
        workers: Workers = IN_PROCESS,
        exclusions: Exclusions | None = None,
        reranking: Reranking | None = None,
    ) -> None:
        """Set up; without `exclusions` these, and what ranks lists again, are read as `config.lists` asks."""
        self.config, self.engine, self.store, self.run = config, engine, store, run
        self.oldest, self.workers = oldest, workers
        self.reranking = reranking if exclusions else Reranking.of(config.lists.diversify, store, engine)
        self.exclusions = exclusions or Exclusions.of(config.lists, store, engine)
        self._trained: dict[tuple[str, Week, Trained], Step] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the loaded workflows, which would make a worker load Merlin, needed or not."""
        return {name: value for name, value in vars(self).items() if name != "encoders"}

    @cached_property
    def encoded(self) -> Step:
        """Return the step of the NVTabular workflows, fitted at the oldest training cutoff and never changed since."""

        def write(folder: Path) -> None:
            from hmgpu.parts.models.encode.workflow import Encoders

            history = self.store.as_of(self.oldest.first_day)
            Encoders.fit(history, self.config.encode.days, self.engine, folder, self.workers.client)

        settings = self.config.encode.model_dump(mode="json")
        return self.run.step(f"{self.oldest}/encode", settings, [self._known(self.oldest)], write)

    @cached_property
    def encoders(self) -> "Encoders":
        """Load the fitted workflows."""
        from hmgpu.parts.models.encode.workflow import Encoders

        return Encoders.load(self.encoded.folder, self.engine)

    def learn(self, week: Week, parts: Mapping[str, Learner]) -> dict[str, Step]:
        """Let `parts` and the fallback learn, for everybody, from what was known before `week`; one step per part."""
        tasks = []
        for name, part in parts.items():
            # What several parts or workers need is computed before they start.
            model = self.trained(name, part, week) if isinstance(part, Trained) else None
            encoded = self.encoded if part.encoded else None
            inputs = [*self._known_to(part, week), *(step.digest for step in (encoded, model) if step)]
            tasks.append(partial(self._learn, week, name, part, model.folder if model else None, inputs))
        steps = self.workers.each(f"learn {week}", [*tasks, partial(self._learn_fallback, week)])
        return dict(zip([*parts, FALLBACK], steps, strict=True))

    def _learn(self, week: Week, name: str, part: Learner, model: Path | None, inputs: list[str]) -> Step:
        def write(folder: Path) -> dict[str, int]:
            plans = self.bind(part, model).learn(self.store.as_of(week.first_day))
            return {table: self.engine.write(plan, folder / f"{table}.parquet") for table, plan in plans.items()}

        settings = part.settings() | {"seed": self.config.seed}
        return self.run.step(f"{week}/learn/{name}", settings, inputs, write)

    def _learn_fallback(self, week: Week) -> Step:
        def write(folder: Path) -> dict[str, int]:
            history, excluded = self.store.as_of(week.first_day), self.exclusions.articles
            n = self.config.lists.k + self.exclusions.most(history, self.engine)
            plan = best_sellers(history, n, None if excluded is None else excluded.lazy())
            table = self.engine.collect(plan.sort("rank"))
            table.write_parquet(folder / TABLE)
            return {"articles": table.height}

        settings = {"k": self.config.lists.k, **self.exclusions.settings()}
        return self.run.step(f"{week}/learn/{FALLBACK}", settings, [self._known(week)], write)

    def audience(self, week: Week, customers: pl.DataFrame) -> History:
        """Return what was known before `week` about one shard of `customers` (customer), in memory."""
        return cut_out(self.store.as_of(week.first_day).of(customers), self.engine)

    def learn_customers(
        self, week: Week, parts: Mapping[str, Learner], learned: Mapping[str, Step], audience: History
    ) -> dict[str, Learned]:
        """Return every part's tables for one shard of customers: what `learn` wrote, and what it learns of the shard.

        A shard's own tables are computed again whenever they are needed: that takes seconds, while storing them for all
        customers would take gigabytes.
        """
        tables = {}
        for name, part in parts.items():
            folder = learned[name].folder
            known = {file.stem: scan_table(file) for file in sorted(folder.glob("*.parquet"))}
            model = self.trained(name, part, week).folder if isinstance(part, Trained) else None
            tables[name] = with_customers(self.bind(part, model), known, audience, self.engine)
        return tables

    def trained(self, name: str, part: Trained, week: Week) -> Step:
        """Return the step with `part`'s model for `week`: the oldest training week's, unless it is refit since then."""
        at = self.oldest
        if part.refit != "once":
            # By the calendar, so that next week's run finds this week's models, and a backtest's folds each other's.
            at = max(at, week.back(week.first_day // DAYS % part.refit))
        if (name, at, part) not in self._trained:  # every shard asks, and asking hashes the model
            self._trained[name, at, part] = self._train(name, part, at)
        return self._trained[name, at, part]

    def _train(self, name: str, part: Trained, at: Week) -> Step:
        settings = part.settings() | {"seed": self.config.seed}
        inputs = [*self._known_to(part, at), *([self.encoded.digest] if part.encoded else [])]
        # Named by all that decides the model: training never continues from checkpoints of other settings or code.
        decisive = json.dumps([settings, inputs, str(at), code_digest()])
        work = self.run.folder / "unfinished" / hashlib.sha256(decisive.encode()).hexdigest()[:16]

        def write(folder: Path) -> None:
            self.bind(part).train(self.store.as_of(at.first_day), folder, work)
            shutil.rmtree(work, ignore_errors=True)

        return self.run.step(f"{at}/train/{name}", settings, inputs, write)

    def _known(self, week: Week) -> str:
        """Return the hash of all that was known before `week`: what was learned from it stays valid as weeks arrive."""
        return self.store.digest_before(week.first_day)

    def _known_to(self, part: Part, week: Week) -> list[str]:
        """Return the hashes of what was known before `week`, and of the vectors, pictures and files `part` uses."""
        vectors = [of for of in sorted(part.uses_vectors()) if of in self.store.manifest.vectors]
        used = [self.store.vectors_before(of, week.first_day) for of in vectors]
        if part.needs_pictures():
            used.append(self.store.pictures_before(week.first_day))
        return [self._known(week), *used, *digests_of_files(part, part.kind)]

    def bind(self, part: P, model: Path | None = None) -> P:
        """Return `part`, bound to what it needs to work."""
        return part.bind(
            PartContext(self.engine, self.config.seed, lambda: self.encoders, model, self.run.folder.parent / CACHE)
        )
