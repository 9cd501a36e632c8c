"""Export a Feast repository: a folder that grows by the weeks that it doesn't have yet.

    manifest.json         views with their columns; for each week the run, its data and the sha256 of its files
    feature_store.yaml    which stores Feast uses: written once, then the user's
    hmgpu_features.py     entities, feature views and a feature service
    data/<view>/<week>-000.parquet   (customer_id or article_id, event_timestamp, columns), a file for each shard

A row's event is the cutoff: the start of the week, in UTC. Feast itself is not imported.
"""

import glob
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED, needing_room, sha256, write_json, write_text
from hmgpu.core.lock import held
from hmgpu.core.whole_folder import NAME, check_replaceable
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.serving.feature_store.definitions import SETTINGS, definitions
from hmgpu.serving.feature_store.tables import WeekOfFeatures

WHAT = "feature store"
FORMAT = f"hmgpu {WHAT} 1"
STORES, DATA = "feature_store.yaml", "data"


def export_features(pipeline: Pipeline, out: Path) -> list[str]:
    """Write the Feast repository `out`, or the weeks that an earlier one lacks; return all its weeks, oldest first.

    The weeks are the training weeks, the validation week and the one after the data. What is there stays as it is: a
    week, whatever is learned about it now, and the settings of the stores. Killed anywhere, the next export goes on.

    Raises RunError, with nothing changed, where `out` is anything but new, empty or an earlier one, has other features,
    or a path that can't be read; BusyError where another process writes it.
    """
    out = out.resolve()
    if glob.escape(str(out)) != str(out):
        raise RunError(f"{out} has [, * or ? in its path, which DuckDB takes for a pattern: name another folder.")
    check_replaceable(out, WHAT)
    asked = sorted({*pipeline.weeks.training, pipeline.weeks.validation, pipeline.store.next_week})
    views = WeekOfFeatures(pipeline.context, asked[-1]).views
    if not views:
        raise RunError("No feature family of this config describes articles or customers alone: Feast can hold none.")
    described = {view.name: {"entity": view.entity, "columns": view.columns} for view in views}
    out.mkdir(parents=True, exist_ok=True)
    busy = out.with_name(f".hmgpu-{out.name}.lock")  # not in `out`: killed right here, that is still empty
    with held(busy, lambda: f"Another process writes {out}; wait for it or stop it."):
        there = _there(out, described)
        write_json(out / NAME, there)
        if not (out / STORES).exists():
            write_text(out / STORES, SETTINGS)
        write_text(out / "hmgpu_features.py", definitions(views))
        for week in (week for week in asked if str(week) not in there["weeks"]):
            files = _write_week(out, WeekOfFeatures(pipeline.context, week))
            facts = {"run": pipeline.run.folder.name, "data": pipeline.store.digest, "files": files}
            there["weeks"] = dict(sorted({**there["weeks"], str(week): facts}.items()))
            write_json(out / NAME, there)
    return list(there["weeks"])


def _there(out: Path, views: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest; raises RunError where it names other `views`."""
    if not (out / NAME).exists():
        return {"format": FORMAT, "views": views, "weeks": {}}
    found: dict[str, Any] = json.loads((out / NAME).read_text(encoding="utf-8"))
    differing = sorted(name for name in {*views, *found["views"]} if views.get(name) != found["views"].get(name))
    if differing:
        raise RunError(
            f"{out} holds other features than this config computes, such as {differing[0]}: name a new folder."
        )
    return found


def _write_week(out: Path, features: WeekOfFeatures) -> dict[str, str]:
    """Write a week's files, each whole or not at all; return their sha256 by their path in `out`."""
    for left in (out / DATA).glob(f"*/{features.week}-*.parquet"):
        left.unlink()  # of an export that was killed, maybe with other shards
    files, shards = dict[str, str](), Counter[str]()
    for view, table in features.tables():
        file = out / DATA / view.name / f"{features.week}-{shards[view.name]:03}.parquet"
        shards[view.name] += 1
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{UNFINISHED}{file.name}")
        with needing_room(out):
            table.write_parquet(draft)
        os.replace(draft, file)
        files[file.relative_to(out).as_posix()] = sha256(file)
    return files
