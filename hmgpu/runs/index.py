"""Write `RUNS/index.html`: the runs of a folder side by side, the best of each week first."""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from hmgpu.core.errors import RunError
from hmgpu.core.files import sha256, write_text
from hmgpu.core.html.blocks import Grid, Section, count, score
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.marks import Badge, Cell, Link
from hmgpu.core.html.page import GENERATOR, page
from hmgpu.core.list_length import K
from hmgpu.core.lock import held
from hmgpu.core.words import counted
from hmgpu.runs.cost import cost_of
from hmgpu.runs.inventory import METHOD, ListedRun, inventory, previous
from hmgpu.runs.run import MANIFEST
from hmgpu.runs.seal import SEAL, verify

log = logging.getLogger(__name__)

INDEX, LOCK = "index.html", ".index.lock"
SIMPLE = "own_past"
LEAD = (
    "Rankers by their MAP@{k} in the week. Where intervals overlap, “hmgpu compare RUN_A RUN_B” says which is better, "
    "customer by customer. Times: of own past + best sellers. The week has stopped each run's fit, which favours the "
    "run a little, but not those with the badge fold. Minutes are those of all steps, reused ones included."
)
HEADINGS = ("95 % interval", "times", "customers", "training weeks", "data up to", "minutes", "lists")
DOUBTED = "Runs whose files are not what they wrote: their figures are not believed."


def write_index(runs: Path) -> None:
    """Write the page of all runs in `runs` whole or not at all; what is in the way is only logged.

    A page of that name that hmgpu did not write stays.
    """
    file = runs / INDEX
    try:
        with held(runs / LOCK, str, wait=True):  # so that the last one who writes has seen all runs
            if file.exists() and GENERATOR not in file.read_text(encoding="utf-8", errors="replace")[:2000]:
                log.warning("%s stays as it is: hmgpu did not write it; move it away to have a page of all runs", file)
                return
            write_text(file, index_page(runs))
    except Exception as error:  # a page about the runs must not fail one
        log.warning("the page of all runs could not be written: %s", error)


def index_page(runs: Path) -> str:
    """Return the page of all runs in `runs`; the same runs always give the same text."""
    found = inventory(runs)
    before, scored = previous(runs, found), [run for run in found if run.k and run.week]
    doubts = {run.folder: doubt for run in scored if (doubt := _doubt(run))}
    believed = sorted((run for run in scored if run.folder not in doubts), key=_week)
    sections = [
        _section(week, k, sorted(same, key=lambda run: (-(run.score or 0.0), run.folder.name)), before)
        for (week, k), same in reversed([(key, [*same]) for key, same in groupby(believed, key=_week)])
    ]
    if doubts:
        rows: list[list[Cell]] = [[folder.name, doubt] for folder, doubt in sorted(doubts.items())]
        sections.append(Section("Changed since", DOUBTED, [Grid("Runs", ["run", "why"], rows, numbers=False)]))
    now = next((run.folder.name for run in found if run.current), None)
    facts = {"runs": count(len(found)), "current": now or "–", "previous": before.name if before else "–"}
    without = len(found) - len(scored)
    about = f"{counted(without, 'run')} without an evaluation {'is' if without == 1 else 'are'} not shown."
    history = [Link("retrains", "retrains.html")] if (runs / "retrains.html").is_file() else []
    return page("Runs", about if without else "Each was evaluated on a week of purchases.", sections, facts, history)


def _week(run: ListedRun) -> tuple[str, int]:
    return run.week or "", run.k or 0


def _section(week: str, k: int, best_first: Sequence[ListedRun], before: Path | None) -> Section:
    names = {run.folder: _link(run, before) for run in best_first}
    dots = [(names[run.folder], run.score or 0.0, run.interval) for run in best_first]
    strong = frozenset(run.folder.name for run in best_first if run.current)
    rows = [[names[run.folder], *_cells(run)] for run in best_first]
    title = f"Week {week}" if k == K else f"Week {week}, lists of {k}"
    return Section(
        title,
        LEAD.format(k=k),
        [
            Dots(f"MAP@{k} and its 95 % interval", dots, strong=strong),
            Grid("Runs", ["run", "config", f"MAP@{k}", *HEADINGS], rows, strong=strong),
        ],
    )


def _link(run: ListedRun, before: Path | None) -> Link:
    badges = []
    if run.current:
        badges.append(Badge("current", "good"))
    if run.folder == before:
        badges.append(Badge("previous"))
    if run.figures != run.folder / "metrics.json":
        badges.append(Badge("fold"))
    elif not run.finished:
        badges.append(Badge("not finished"))
    pages = (run.folder / "report.html", run.folder / "steps" / str(run.week) / "report" / "report.html")
    return Link(run.folder.name, next((_place(run, file) for file in pages if file.exists()), None), tuple(badges))


def _cells(run: ListedRun) -> list[Cell]:
    metrics, minutes, weeks = json.loads(_figures(run).read_text()), "–", "–"
    simple = metrics[f"map_at_{run.k}"].get(SIMPLE)
    with suppress(OSError, ValueError, KeyError):  # manifests of other versions
        minutes = f"{cost_of(run.folder)[0] / 60:,.1f}"
    with suppress(OSError, yaml.YAMLError, KeyError, TypeError):
        settings: Mapping[str, Any] = yaml.safe_load((run.folder / "config.yaml").read_text())
        weeks = str(settings["weeks"]["train"])
    lists = run.folder / "submission.csv"
    return [
        Link(Path(run.config).name if run.config else "–", _place(run, run.folder / "config.yaml")),
        Link(score(run.score), _place(run, _figures(run))),
        " to ".join(map(score, run.interval)) if run.interval else "–",
        f"{metrics[f'map_at_{run.k}'][METHOD] / simple:.2f}" if simple else "–",
        count(metrics["customers"]) if "customers" in metrics else "–",
        weeks,
        run.last_day,
        minutes,
        Link("CSV", _place(run, lists)) if lists.exists() else "–",
    ]


def _doubt(run: ListedRun) -> str | None:
    """Return why the figures of `run` are not believed: a seal that doesn't hold, or a step that they are not of."""
    folder, file = run.folder.resolve(), _figures(run).resolve()
    if (run.folder / SEAL).is_file():
        inside = [file.relative_to(folder).as_posix()] if file.is_relative_to(folder) else []
        try:
            verify(run.folder, [*inside, "config.yaml", MANIFEST])
        except RunError as error:
            return str(error)
        return None
    try:
        listed = json.loads(file.with_name(MANIFEST).read_text())["files"][file.name]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{_figures(run)} is not listed by the step that wrote it: evaluate the run again."
    return None if sha256(file) == listed else f"{_figures(run)} was changed since: evaluate the run again."


def _figures(run: ListedRun) -> Path:
    assert run.figures is not None, "only evaluated runs are shown"
    return run.figures


def _place(run: ListedRun, file: Path) -> str:
    return file.relative_to(run.folder.parent).as_posix()
