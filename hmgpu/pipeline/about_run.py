"""Put the head on the page of a run: which run it is, of which config and data, and its files.

A page may be that of several runs: what one knows of the week is what another knows. Its head says whose it is.
"""

import json
import os
from pathlib import Path

from hmgpu.core.html.marks import Link
from hmgpu.core.html.page import with_head
from hmgpu.core.words import counted
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import LISTS, METRICS, REPORT
from hmgpu.pipeline.origin import BASE, origin
from hmgpu.pipeline.schedule import Schedule
from hmgpu.runs.index import INDEX
from hmgpu.runs.run import MANIFEST, Run, Step


def with_facts(reported: Step, judged: Step, run: Run, config: Config, store: Store, weeks: Schedule) -> str:
    """Return the page of `reported` as `run` shows it at its top, with a head.

    Seconds are not in it: they differ each time that a run is computed, and its page does not.
    """
    first, last, trained = date_of(store.manifest.first_day), date_of(store.last_day), weeks.training
    facts = {
        "run": run.folder.name,
        "config": _config(run, config),
        "data": f"{counted(store.manifest.rows, 'purchase')}, {first} to {last}",
        "trained on": f"{counted(len(trained), 'week')} from {trained[0]}",
        "stopped by": f"the week from {weeks.validation}",
        "lists serve": f"the week from {store.next_week}",
        "seed": str(config.seed),
    }
    files = {
        "metrics": judged.folder / METRICS,
        "lists of these customers": judged.folder / LISTS,
        "config": run.folder / "config.yaml",
        "all runs": run.folder.parent / INDEX,
    }
    links = [Link(name, os.path.relpath(file, run.folder)) for name, file in files.items()]
    return with_head((reported.folder / REPORT).read_text(encoding="utf-8"), facts, links)


def _config(run: Run, config: Config) -> str:
    """Return the name of the config and how it differs from `base`, as the run has recorded them."""
    file = run.folder / MANIFEST
    # A finished run keeps what it was described with, whatever its config is called now.
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else origin(config)
    name, changed = found.get("config"), found.get("changed") or {}
    shown = Path(name).name if name else "of its own"
    return shown if shown == BASE and not changed else f"{shown} ({counted(len(changed), 'setting')} not as in {BASE})"
