"""List the runs in a folder: which there are, what they achieved, and which of them may be removed."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from hmgpu.core.files import UNFINISHED
from hmgpu.core.list_length import list_length
from hmgpu.core.machine import versions
from hmgpu.runs.publish import CURRENT, current, promoted
from hmgpu.runs.run import MANIFEST, code_digest
from hmgpu.runs.seal import SEAL

if TYPE_CHECKING:
    from hmgpu.core.engine import Engine


@dataclass(frozen=True)
class ListedRun:
    """A run in the folder, with what `hmgpu runs` shows of it."""

    folder: Path
    last_day: str
    """Last day of the data that it was trained on, YYYY-MM-DD."""
    finished: bool
    k: int | None
    """Articles in its lists; None if it was not evaluated."""
    score: float | None
    """The ranker's MAP@k in the run's validation week; None if it was not evaluated."""
    promoted: str | None
    """When it was promoted (UTC); None if it never was, or was rolled back from."""
    current: bool
    bytes: int

    @property
    def age(self) -> tuple[str, float]:
        """Return what sorts runs, oldest first: the last day of their data, then when they were started."""
        return self.last_day, (self.folder / MANIFEST).stat().st_mtime


def inventory(runs: Path) -> list[ListedRun]:
    """Return all runs in `runs`, oldest first: by the last day of their data, then by when they were started."""
    now, stack = current(runs), {entry["run"]: entry["at"] for entry in promoted(runs)}
    listed = [_listed(folder, stack.get(folder.name), folder == now) for folder in _folders(runs)]
    return sorted(listed, key=lambda run: run.age)


def prune(runs: Path, keep: int) -> list[Path]:
    """Remove all runs but the last `keep`, the current one and the one to roll back to; return the removed folders.

    A run first leaves the list of runs in one move; if the removal is killed, the rest is removed the next time.
    """
    for rest in runs.glob(f"{UNFINISHED}pruned-*"):
        shutil.rmtree(rest)
    for rest in runs.glob(f"{UNFINISHED}{CURRENT}-*"):  # left behind by a promotion that was killed
        rest.unlink()
    found = inventory(runs)
    names = {run.folder.name for run in found}
    safe = {run.folder for run in found[max(0, len(found) - keep) :]} | {run.folder for run in found if run.current}
    now = current(runs)
    before = [e["run"] for e in promoted(runs) if e["run"] in names and not (now and e["run"] == now.name)]
    safe |= {runs.resolve() / name for name in before[-1:]}
    removed = [run.folder for run in found if run.folder not in safe]
    for folder in removed:
        gone = folder.with_name(f"{UNFINISHED}pruned-{folder.name}")
        folder.rename(gone)
        shutil.rmtree(gone)
    return removed


def reusable_runs(runs: Path, engine: "Engine") -> list[Path]:
    """Return the runs in `runs` that this code started on `engine` with the installed libraries, newest first.

    A step with equal settings and inputs would come out of any of them with the same bytes.
    """
    wanted = {"engine": engine.name, "code": code_digest(), "versions": versions()}
    started = {folder: _read(folder / MANIFEST) for folder in _folders(runs)}
    equal = [folder for folder, facts in started.items() if all(facts.get(key) == wanted[key] for key in wanted)]
    return sorted(equal, key=lambda folder: ((folder / MANIFEST).stat().st_mtime, folder.name), reverse=True)


def runs_table(listed: list[ListedRun]) -> Table:
    """Return the runs as a table for the terminal, the current run marked."""
    table = Table(title="Runs")
    for heading in ("", "run", "data up to", "state", "MAP@k", "promoted (UTC)", "MB"):
        table.add_column(heading, justify="right" if heading in ("MAP@k", "MB") else "left")
    for run in listed:
        state = "finished" if run.finished else "unfinished"
        score = "–" if run.score is None else f"{run.score:.5f}" + f" (k={run.k})"
        cells = (run.folder.name, run.last_day, state, score, run.promoted or "–", f"{run.bytes / 1e6:,.0f}")
        table.add_row("→" if run.current else "", *cells, style="bold" if run.current else "")
    return table


def _folders(runs: Path) -> Iterator[Path]:
    for path in runs.resolve().iterdir() if runs.is_dir() else ():
        ours = path.is_dir() and not path.is_symlink() and (path / MANIFEST).is_file()
        if ours and not path.name.startswith(UNFINISHED):
            yield path


def _listed(folder: Path, at: str | None, is_current: bool) -> ListedRun:
    metrics = _read(folder / "metrics.json")
    k = list_length(metrics) if any(name.startswith("map_at_") for name in metrics) else None
    return ListedRun(
        folder=folder,
        last_day=str(_read(folder / MANIFEST).get("last_day", "?")),
        finished=(folder / SEAL).is_file(),
        k=k,
        score=metrics[f"map_at_{k}"].get("ranker") if k else None,
        promoted=at,
        current=is_current,
        bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
