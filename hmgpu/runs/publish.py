"""Promote runs and roll them back: a symbolic link that is swapped in one move, and the list of promoted runs."""

import datetime
import json
import logging
import os
from pathlib import Path
from typing import Any

from hmgpu.core.errors import DiskError, RunError
from hmgpu.core.files import UNFINISHED, swap_link, write_json
from hmgpu.runs.seal import is_whole, verify

log = logging.getLogger(__name__)

CURRENT = "current"
PROMOTED = "promoted.json"


def promote(run: Path) -> Path:
    """Make `run` (RUNS/<id>) the current one, and return the link RUNS/current.

    Raises RunError, with nothing changed, where the run is not finished or was changed since, or where RUNS/current is
    something other than a link.
    """
    runs, run = run.parent, run.resolve() if run.name == CURRENT else run
    verify(run)
    stack = promoted(runs)
    link = _point(runs, run.name)
    if not stack or stack[-1]["run"] != run.name:
        stack.append({"run": run.name, "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")})
        # After the link: if killed in between, the list lacks the newest run, which `promoted` corrects.
        write_json(runs / PROMOTED, stack)
    return link


def rollback(runs: Path) -> Path:
    """Make the run current that was promoted before the current one; skip runs that are gone or damaged.

    Raises RunError, with nothing changed, where no such run is left.
    """
    now = _now(runs)
    stack = [entry for entry in promoted(runs) if entry["run"] != now]
    while stack and not is_whole(runs / stack[-1]["run"]):
        stack.pop()
    if not stack:
        raise RunError(f"There is no earlier run in {runs} to go back to; `hmgpu runs` shows what there is.")
    link = _point(runs, stack[-1]["run"])
    try:
        write_json(runs / PROMOTED, stack)
    except DiskError as error:  # it must not keep a bad run current; `promoted` does without
        log.warning("%s", error)
    return link


def current(runs: Path) -> Path | None:
    """Return the folder of the current run in `runs`, or None. Raises RunError for a link whose target is gone."""
    link = runs / CURRENT
    if not link.is_symlink():
        return None
    if not link.is_dir():
        raise RunError(f"{link} leads to {link.readlink()}, which is gone: name another with `hmgpu promote RUN`.")
    return link.resolve()


def promoted(runs: Path) -> list[dict[str, Any]]:
    """Return the runs that were promoted and not rolled back from, oldest first: `run` (folder name), `at` (UTC).

    The last is the current one: a promotion or rollback that was killed before it was recorded counts as done.
    """
    try:
        listed = json.loads((runs / PROMOTED).read_text())
        stack = [{"run": _name(entry["run"]), "at": str(entry["at"])} for entry in listed]
    except FileNotFoundError:
        stack = []
    except (ValueError, TypeError, KeyError):
        raise RunError(f"{runs / PROMOTED} is damaged: remove it; runs don't depend on it.") from None
    now = _now(runs)
    if now is None:
        return stack
    last = max((place for place, entry in enumerate(stack) if entry["run"] == now), default=None)
    return [*stack, {"run": now, "at": ""}] if last is None else stack[: last + 1]


def _now(runs: Path) -> str | None:
    """Return the name of the run that the link names, whether it exists or not."""
    link = runs / CURRENT
    return link.readlink().name if link.is_symlink() else None


def _name(run: object) -> str:
    """Return `run` if it names a folder next to the list; raise ValueError for anything that leads elsewhere."""
    if not isinstance(run, str) or run in ("", ".", "..") or "/" in run or "\0" in run:
        raise ValueError(f"{run!r} is not the name of a run")
    return run


def _point(runs: Path, name: str) -> Path:
    link = runs / CURRENT
    if link.exists() and not link.is_symlink():
        raise RunError(f"{link} is a file or folder, not the link to the current run; move it away.")
    draft = runs / f"{UNFINISHED}{CURRENT}-{os.getpid()}"
    swap_link(link, name, draft)
    return link
