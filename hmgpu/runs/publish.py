"""Which run is current: a symbolic link that is swapped in one move, and the runs that were before it."""

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
    """Make `run` (RUNS/<id>) the current one. Returns the link RUNS/current.

    Raises RunError, with nothing changed, when the run is not finished or not as it was made, or when something that is
    no link stands in the way.
    """
    runs, run = run.parent, run.resolve() if run.name == CURRENT else run
    verify(run)
    stack = promoted(runs)
    link = _point(runs, run.name)
    if not stack or stack[-1]["run"] != run.name:
        stack.append({"run": run.name, "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")})
        # After the link: killed in between, the list lacks the newest, which `promoted` puts right.
        write_json(runs / PROMOTED, stack)
    return link


def rollback(runs: Path) -> Path:
    """Make the run current that was so before the current one, the next one before it where that is gone or damaged.

    Raises RunError, with nothing changed, when there is none.
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
    except DiskError as error:  # which must not keep a bad run current; `promoted` knows without
        log.warning("%s", error)
    return link


def current(runs: Path) -> Path | None:
    """The folder of the current run in `runs`; None where there is none. Raises RunError for a link into nothing."""
    link = runs / CURRENT
    if not link.is_symlink():
        return None
    if not link.is_dir():
        raise RunError(f"{link} leads to {link.readlink()}, which is gone: name another with `hmgpu promote RUN`.")
    return link.resolve()


def promoted(runs: Path) -> list[dict[str, Any]]:
    """The runs that were promoted and not rolled back from, oldest first: `run` (its folder's name), `at` (UTC).

    The last is the current one: a promotion or a rollback that was killed before it was written down is taken for done.
    """
    try:
        listed = json.loads((runs / PROMOTED).read_text())
        stack = [{"run": _name(entry["run"]), "at": str(entry["at"])} for entry in listed]
    except FileNotFoundError:
        stack = []
    except (ValueError, TypeError, KeyError):
        raise RunError(f"{runs / PROMOTED} is damaged: remove it; no run depends on it.") from None
    now = _now(runs)
    if now is None:
        return stack
    last = max((place for place, entry in enumerate(stack) if entry["run"] == now), default=None)
    return [*stack, {"run": now, "at": ""}] if last is None else stack[: last + 1]


def _now(runs: Path) -> str | None:
    """The name of the run that the link names, whether it is there or not."""
    link = runs / CURRENT
    return link.readlink().name if link.is_symlink() else None


def _name(run: object) -> str:
    """A run's name, which is that of a folder beside the list, and nothing that leads elsewhere."""
    if not isinstance(run, str) or run in ("", ".", "..") or "/" in run or "\0" in run:
        raise ValueError(f"{run!r} is no run's name")
    return run


def _point(runs: Path, name: str) -> Path:
    link = runs / CURRENT
    if link.exists() and not link.is_symlink():
        raise RunError(f"{link} is a file or folder, not the link to the current run; move it away.")
    draft = runs / f"{UNFINISHED}{CURRENT}-{os.getpid()}"
    swap_link(link, name, draft)
    return link
