"""Open a config's pipeline in its run folder: how a run is named, and from which runs it may reuse steps."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hmgpu.core.engine import Engine
from hmgpu.core.threads import use_threads
from hmgpu.core.trackers import check_tracker
from hmgpu.data.open_store import open_store
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.diversify import Reranking
from hmgpu.pipeline.exclusions import Exclusions
from hmgpu.pipeline.learn import Learning
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.rhythm import measured
from hmgpu.pipeline.schedule import Schedule
from hmgpu.pipeline.usable_parts import digests_of_inputs
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.runs.inventory import reusable_runs
from hmgpu.runs.run import Run, code_digest


def open_pipeline(
    config: Config,
    engine: Engine,
    workers: Workers = IN_PROCESS,
    others: Sequence[Path] | None = None,
    kind: type[Run] = Run,
) -> Pipeline:
    """Open the pipeline over the data set and in the run folder that `config` names.

    Args:
        config: what is `auto` in it is measured first, as a step of the run; `Pipeline.config` has the numbers.
        others: folders of runs whose steps are copied where settings, inputs, code and engine are equal. None: all in
            `config.runs` that this code wrote with the same libraries, so that a change costs only what it changes.
        kind: `PlannedRun` for a pipeline that computes nothing and notes what it would.

    Raises BusyError where something is to be measured and another process works on the run, ConfigError where the
    config's tracker is not installed.
    """
    use_threads(config.threads)
    check_tracker(config.tracking)  # fails now, not after hours
    store = open_store(config.data, config.weeks.gap)
    store.verify()
    excluded = Exclusions.of(config.lists, store, engine)
    reranking = Reranking.of(config.lists.diversify, store, engine)
    folder = config.runs / _named(config, store, engine, excluded, reranking)
    known = reusable_runs(config.runs, engine) if others is None else others
    copied = tuple(Run(other, engine) for other in known if other.resolve() != folder.resolve())
    run = kind(folder, engine, others=copied)
    if any(config.waiting()):
        with run.locked():  # whoever takes the lock removes unfinished steps
            config = measured(config, store, engine, run)
    learning = Learning(config, engine, store, run, Schedule.of(config, store).oldest, workers, excluded, reranking)
    return Pipeline(config, engine, store, run, workers, learning)


def run_name(config: Config, store: Store, engine: Engine) -> str:
    """Return the data's last day and a hash of settings, data, engine and code.

    So the same command finds its run again, and no other command changes it. What is `auto` counts as such: its numbers
    follow from the rest.
    """
    reranking = Reranking.of(config.lists.diversify, store, engine)
    return _named(config, store, engine, Exclusions.of(config.lists, store, engine), reranking)


def _named(config: Config, store: Store, engine: Engine, excluded: Exclusions, reranking: Reranking | None) -> str:
    settings, inputs = decisive_settings(config, store, excluded, reranking)
    decisive = json.dumps([settings, engine.name, code_digest(), *inputs])
    return f"{date_of(store.last_day)}-{hashlib.sha256(decisive.encode()).hexdigest()[:8]}"


def decisive_settings(
    config: Config, store: Store, excluded: Exclusions, reranking: Reranking | None
) -> tuple[dict[str, Any], list[str]]:
    """Return all settings that decide a result, and the digests of all data that decide it.

    Args:
        excluded: what `config.lists` excludes: the content of its file decides, not its name.
        reranking: what ranks lists again, likewise.
    """
    lists = {"k": config.lists.k} | excluded.settings() | (reranking.decisive() if reranking else {})
    return config.decisive() | {"lists": lists}, [store.digest, *digests_of_inputs(config, store)]
