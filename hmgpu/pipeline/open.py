"""From a config to the pipeline in its run folder: how a run is named, and which runs it may reuse steps of."""

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
    config: Config, engine: Engine, workers: Workers = IN_PROCESS, others: Sequence[Path] | None = None
) -> Pipeline:
    """The pipeline over the data set and in the run folder that `config` names.

    Args:
        others: folders of runs whose steps are copied where they were made from the same things. None: all in
            `config.runs` that this code wrote with the same libraries, so that a change costs only what it changes.
    """
    store = Store(config.data.root)
    store.verify()
    folder = config.runs / run_name(config, store, engine)
    known = reusable_runs(config.runs, engine) if others is None else others
    copied = tuple(Run(other, engine) for other in known if other.resolve() != folder.resolve())
    return Pipeline(config, engine, store, Run(folder, engine, others=copied), workers)


def run_name(config: Config, store: Store, engine: Engine) -> str:
    """The data's last day and a hash of settings, data, engine and code.

    So the same command finds its run again, and no other changes it.
    """
    vectors = vector_digests(config, store)  # those that no part looks at decide nothing
    excluded = Exclusions.of(config.lists, store, engine).settings()  # the file decides, not its name
    decides = config.decisive()
    decides["lists"] = {"k": config.lists.k} | excluded
    made_from = json.dumps([decides, store.digest, engine.name, code_digest(), *vectors])
    return f"{date_of(store.last_day)}-{hashlib.sha256(made_from.encode()).hexdigest()[:8]}"
