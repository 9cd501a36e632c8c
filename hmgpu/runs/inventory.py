"""List the runs in a folder: which there are, what they achieved, and which of them may be removed."""

import datetime
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hmgpu.core.errors import BusyError
from hmgpu.core.files import UNFINISHED
from hmgpu.core.list_length import list_length
from hmgpu.core.lock import held
from hmgpu.core.machine import versions
from hmgpu.runs.find import folders_of_runs
from hmgpu.runs.publish import CURRENT, current, promoted
from hmgpu.runs.run import LOCK, MANIFEST, code_digest
from hmgpu.runs.seal import SEAL

if TYPE_CHECKING:
    from hmgpu.core.engine import Engine

State = Literal["current", "complete", "evaluated", "tuned", "fitted", "begun"]
METHOD = "ranker"  # whose score is listed


@dataclass(frozen=True)
class ListedRun:
    """A run in the folder, with what `hmgpu runs` shows of it."""

    folder: Path
    last_day: str
    """Last day of the data that it was trained on, YYYY-MM-DD."""
    created: datetime.datetime
    """When it was started (UTC); of a run that was started several times, the last time before it was complete."""
    config: str | None
    """The name of its config, as it was given; None if it was not recorded."""
    changed: Mapping[str, Any] | None
    """What decides its results and is not as in the shipped config `base`, by `key.key`; None if it is not known."""
    state: State
    """current; complete: with lists of all customers; evaluated; tuned; fitted: with a model; begun: none of these."""
    week: str | None
    """First day of the week that it was evaluated on, the latest of several; None if it was not evaluated."""
    k: int | None
    """Articles in its lists; None if it was not evaluated."""
    score: float | None
    """The ranker's MAP@k in the week."""
    interval: tuple[float, float] | None
    """The 95 % interval of the score."""
    promoted: str | None
    """When it was promoted (UTC); None if it never was, or was rolled back from."""
    bytes: int
    figures: Path | None = None
    """The file with the figures of the week."""

    @property
    def current(self) -> bool:
        return self.state == "current"

    @property
    def finished(self) -> bool:
        return self.state in ("current", "complete")

    @property
    def age(self) -> tuple[str, datetime.datetime, str]:
        """Return what sorts runs, oldest first: the last day of their data, then when they were started."""
        return self.last_day, self.created, self.folder.name


def inventory(runs: Path) -> list[ListedRun]:
    """Return all runs in `runs`, oldest first: by the last day of their data, then by when they were started.

    Raises RunError where there is no such folder.
    """
    folders = folders_of_runs(runs)
    now, stack = current(runs), {entry["run"]: entry["at"] for entry in promoted(runs)}
    listed = [_listed(folder, stack.get(folder.name), folder == now) for folder in folders]
    return sorted(listed, key=lambda run: run.age)


def prune(runs: Path, keep: int) -> list[Path]:
    """Remove all runs but those that `kept` names; return the removed folders.

    A run that a process begins to work on meanwhile stays too. A run first leaves the list of runs in one move; if the
    removal is killed, the rest is removed the next time.
    """
    for rest in runs.glob(f"{UNFINISHED}pruned-*"):
        shutil.rmtree(rest)
    for rest in runs.glob(f"{UNFINISHED}{CURRENT}-*"):  # left behind by a promotion that was killed
        rest.unlink()
    found = inventory(runs)
    safe = kept(runs, found, keep)
    removed = list[Path]()
    for folder in (run.folder for run in found if run.folder not in safe):
        gone = folder.with_name(f"{UNFINISHED}pruned-{folder.name}")
        with suppress(BusyError), held(folder / LOCK, str, keep=True):
            folder.rename(gone)
            removed.append(folder)
        if gone.exists():
            shutil.rmtree(gone)
    return removed


def kept(runs: Path, found: list[ListedRun], keep: int) -> dict[Path, str]:
    """Return which of the runs `found` in `runs` stay, each with the reason.

    They are the current one, the one to roll back to, the newest `keep`, and those that a process works on.
    """
    newest = found[max(0, len(found) - keep) :]
    safe = {run.folder: "a process works on it" for run in found if _busy(run.folder)}
    safe |= {run.folder: "the newest one" if keep == 1 else f"one of the newest {keep}" for run in newest}
    before = previous(runs, found)
    safe |= {before: "the one to roll back to"} if before else {}
    return safe | {run.folder: "the current one" for run in found if run.current}


def previous(runs: Path, found: list[ListedRun]) -> Path | None:
    """Return which of the runs `found` in `runs` was promoted before the current one: the one to roll back to."""
    names, now = {run.folder.name for run in found}, current(runs)
    before = [e["run"] for e in promoted(runs) if e["run"] in names and not (now and e["run"] == now.name)]
    return runs.resolve() / before[-1] if before else None


def reusable_runs(runs: Path, engine: "Engine") -> list[Path]:
    """Return the runs in `runs` that this code started on `engine` with the installed libraries, newest first.

    A step with equal settings and inputs would come out of any of them with the same bytes.
    """
    wanted = {"engine": engine.name, "code": code_digest(), "versions": versions()}
    started = {folder: _read(folder / MANIFEST) for folder in (folders_of_runs(runs) if runs.is_dir() else ())}
    equal = [folder for folder, facts in started.items() if all(facts.get(key) == wanted[key] for key in wanted)]
    return sorted(equal, key=lambda folder: ((folder / MANIFEST).stat().st_mtime, folder.name), reverse=True)


def _busy(run: Path) -> bool:
    """Whether a process works on `run`."""
    if not (run / LOCK).exists():
        return False
    try:
        with held(run / LOCK, str, keep=True):
            return False
    except BusyError:
        return True


def _listed(folder: Path, at: str | None, is_current: bool) -> ListedRun:
    facts = _read(folder / MANIFEST)
    file, metrics, k = _evaluation(folder)
    low, high = metrics.get(f"map_at_{k}_interval", {}).get(METHOD, (None, None))
    return ListedRun(
        folder=folder,
        last_day=str(facts.get("last_day", "?")),
        created=datetime.datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, datetime.UTC),
        config=facts.get("config"),
        changed=facts.get("changed"),
        state=_state(folder, is_current, k),
        week=metrics.get("week"),
        k=k,
        score=metrics[f"map_at_{k}"].get(METHOD) if k else None,
        interval=None if low is None else (low, high),
        figures=file,
        promoted=at,
        bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()),
    )


def _state(folder: Path, is_current: bool, k: int | None) -> State:
    if is_current:
        return "current"
    if (folder / SEAL).is_file():
        return "complete"
    if k:
        return "evaluated"
    if any(folder.glob("tuning-*.json")):
        return "tuned"
    return "fitted" if (folder / "model").exists() else "begun"


def _evaluation(folder: Path) -> tuple[Path | None, dict[str, Any], int | None]:
    """Return the figures of the run's validation week, or of the latest that it was evaluated on: file, content, k."""
    others = sorted(folder.glob("steps/*/evaluate/metrics.json"), reverse=True)
    for file in (folder / "metrics.json", *others):
        metrics = _read(file)
        if any(name.startswith("map_at_") for name in metrics):
            return file, metrics, list_length(metrics)
    return None, {}, None


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
