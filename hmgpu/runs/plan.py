"""Say what a command would compute: a run whose steps are looked up, and of which nothing is written."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from hmgpu.core.machine import GIB
from hmgpu.core.printed import figures_table
from hmgpu.runs.run import MANIFEST, Run, Step, origin_of

UNKNOWN = "not computed yet"  # a digest that no step has, so that whatever depends on it is computed, too


@dataclass(frozen=True)
class PlannedStep:
    """A step that a command needs."""

    name: str
    reused: bool
    earlier: Mapping[str, Any] | None = None
    """What a step of this name took in an earlier run: seconds, peak_gib, bytes; None where there is none."""

    @property
    def stage(self) -> str:
        """Return what the step is part of, such as `2020-09-16/learn`."""
        return "/".join(self.name.split("/")[:2])


@dataclass(frozen=True)
class PlannedRun(Run):
    """A run of which nothing is computed or written; `planned` fills with the steps that are asked for."""

    planned: list[PlannedStep] = field(default_factory=list)

    def describe(self, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        pass

    @contextmanager
    def locked(self) -> Iterator[None]:
        yield

    def step(
        self,
        name: str,
        settings: Mapping[str, Any],
        inputs: list[str],
        write: Callable[[Path], Mapping[str, int] | None],
    ) -> Step:
        origin = origin_of(settings, inputs, self.engine)
        found = (run._reusable(name, origin) for run in (self, *self.others))
        there = next((step for step in found if step), None)
        if name not in {each.name for each in self.planned}:
            earlier = None if there else _took(self.folder.parent, name)
            self.planned.append(PlannedStep(name, there is not None, earlier))
        return there or Step(name, self.folder / "steps" / name, UNKNOWN)

    def show(self, name: str, target: Path) -> Path:
        return target

    def write(self, name: str, text: Callable[[], str]) -> Path:
        return self.folder / name


def plan_facts(planned: Sequence[PlannedStep], memory_gb: float) -> dict[str, Any]:
    """Return how many steps would be computed and reused by stage, and what that took in earlier runs."""
    stages = dict[str, dict[str, int]]()
    for each in planned:
        counts = stages.setdefault(each.stage, {"compute": 0, "reuse": 0})
        counts["reuse" if each.reused else "compute"] += 1
    asked = [each for each in planned if not each.reused]
    known = [each.earlier for each in asked if each.earlier]
    estimate = {
        "seconds": round(sum(took["seconds"] for took in known), 1),
        "peak_gib": max((took["peak_gib"] for took in known), default=0.0),
        "disk_gib": round(sum(took["bytes"] for took in known) / GIB, 3),
    }
    totals = {"compute": len(asked), "reuse": len(planned) - len(asked), "known": len(known)}
    return {"memory_gb": memory_gb, **totals, "estimate": estimate if known else None, "stages": stages}


def plan_table(facts: Mapping[str, Any]) -> Table:
    """Return the stages as a table; its caption estimates memory, disk and time."""
    estimate, asked = facts["estimate"], facts["compute"]
    if not asked:
        told = "all of it is there already"
    elif estimate is None:
        told = f"no earlier run to estimate from; planned for {facts['memory_gb']:g} GB of memory (memory_gb)"
    else:
        told = (
            f"as {facts['known']} of these {asked} steps took in earlier runs: {estimate['seconds']:,.0f} s, "
            f"{estimate['peak_gib']:.2f} GiB of memory at most, {estimate['disk_gib']:.3f} GiB on disk; planned for "
            f"{facts['memory_gb']:g} GB of memory (memory_gb)"
        )
    table = figures_table("What would be done", ["stage"], ["computed", "reused"], told)
    for stage, counts in facts["stages"].items():
        table.add_row(stage, str(counts["compute"]), str(counts["reuse"]))
    table.add_section()
    table.add_row("all", str(asked), str(facts["reuse"]), style="bold")
    return table


def _took(runs: Path, name: str) -> dict[str, Any] | None:
    """Return what the step `name` took in the newest of `runs` that has one."""
    places = [run / "steps" / name for run in runs.iterdir() if not run.is_symlink()] if runs.is_dir() else []
    there = [place for place in places if (place / MANIFEST).is_file()]
    for place in sorted(there, key=lambda place: (place / MANIFEST).stat().st_mtime, reverse=True):
        with suppress(OSError, ValueError, KeyError, TypeError):
            manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
            size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
            return {"seconds": float(manifest["seconds"]), "peak_gib": float(manifest["peak_gib"]), "bytes": size}
    return None
