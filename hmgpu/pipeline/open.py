"""Open a config's pipeline in its run folder: how a run is named, and from which runs it may reuse steps."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from hmgpu.core.engine import Engine
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.exclusions import Exclusions
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.usable_parts import vector_digests
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
        others: folders of runs whose steps are copied where settings, inputs, code and engine are equal. None: all in
            `config.runs` that this code wrote with the same libraries, so that a change costs only what it changes.
        kind: `PlannedRun` for a pipeline that computes nothing and notes what it would.
    """
    store = Store(config.data.root)
    store.verify()
    folder = config.runs / run_name(config, store, engine)
    known = reusable_runs(config.runs, engine) if others is None else others
    copied = tuple(Run(other, engine) for other in known if other.resolve() != folder.resolve())
    return Pipeline(config, engine, store, kind(folder, engine, others=copied), workers)


def run_name(config: Config, store: Store, engine: Engine) -> str:
    """Return the data's last day and a hash of settings, data, engine and code.

    So the same command finds its run again, and no other command changes it.
    """
    vectors = vector_digests(config, store)  # vectors that no part uses decide nothing
    excluded = Exclusions.of(config.lists, store, engine).settings()  # the file's content decides, not its name
    settings = config.decisive()
    settings["lists"] = {"k": config.lists.k} | excluded
    decisive = json.dumps([settings, store.digest, engine.name, code_digest(), *vectors])
    return f"{date_of(store.last_day)}-{hashlib.sha256(decisive.encode()).hexdigest()[:8]}"
