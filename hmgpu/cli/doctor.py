"""What this machine and this installation can do, what is wrong with the data, and what to do about it."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.table import Table

from hmgpu.core.choices import Choice
from hmgpu.core.engine import Engine
from hmgpu.core.errors import HmgpuError
from hmgpu.core.extras import EXTRAS, missing, remedy
from hmgpu.core.gpu_plans import summary
from hmgpu.core.machine import GIB, PACKAGES, machine, versions
from hmgpu.core.printed import figures_table
from hmgpu.core.words import counted
from hmgpu.data.manifest import Manifest
from hmgpu.data.tables import TABLES
from hmgpu.data.weeks import date_of

LEAST_DISK = 1.0  # GiB; the demo takes about half of it
MARKS = {True: "✓", False: "✗", None: "·"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    found: str
    ok: bool | None = None
    """Whether it is as it must be; None where nothing depends on it."""


def examine(choice: Choice, data: Path | None, asked: bool) -> list[Finding]:
    """Look at machine, packages, engine and data set.

    Args:
        choice: the engine to try.
        data: folder of the data set.
        asked: whether the data set was asked for, so that its absence is a fault.
    """
    return [*_machine(data), *_packages(), _engine(choice), Finding("plans", summary()), _data(data, asked)]


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return what was found as a table, and how many faults there are."""
    faults = sum(each.ok is False for each in findings)
    table = figures_table("hmgpu doctor", ["", "what", "found"], [], counted(faults, "fault"))
    for each in findings:
        table.add_row(MARKS[each.ok], each.what, each.found, style="red" if each.ok is False else "")
    return table


def _machine(data: Path | None) -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(data if data and data.is_dir() else Path.cwd())
    facts = machine()
    yield Finding("system", f"{facts['system']}, Python {versions()['python']}")
    yield Finding("CPU", f"{facts['cpu']}, {counted(facts['cores'], 'core')}, {counted(facts['threads'], 'thread')}")
    yield Finding("memory", f"{memory.total / GIB:.1f} GiB, {memory.available / GIB:.1f} GiB free")
    room = f"{disk.total / GIB:.0f} GiB, {disk.free / GIB:.1f} GiB free"
    enough = disk.free / GIB >= LEAST_DISK
    yield Finding("disk", room if enough else f"{room}: make room, data sets and runs need gigabytes", enough)
    yield Finding("GPU", facts["gpu"])


def _packages() -> Iterator[Finding]:
    found = versions()
    there = ", ".join(f"{package} {found[package]}" for package in PACKAGES if package in found)
    yield Finding("packages", there, True)
    for extra in sorted({*EXTRAS.values()}):
        lacks = missing(package for package, brings in EXTRAS.items() if brings == extra)
        says = f"without {', '.join(lacks)}; if you want it: {remedy(lacks[0])}" if lacks else "installed"
        yield Finding(f"extra {extra}", says)


def _engine(choice: Choice) -> Finding:
    try:
        engine = Engine.choose(choice)
    except HmgpuError as error:
        return Finding("engine", str(error), False)
    return Finding("engine", f"{engine.name}: {engine.reason}", True)


def _data(root: Path | None, asked: bool) -> Finding:
    if root is None:
        return Finding("data", "no folder named (--data or --config)")
    try:
        manifest = Manifest.read(root)
    except HmgpuError as error:
        return Finding("data", str(error), False if asked else None)
    days = f"{date_of(manifest.first_day)} to {date_of(manifest.last_day)}"
    numbers = ((manifest.rows, "row"), (manifest.articles, "article"), (manifest.customers, "customer"))
    counts = ", ".join(counted(number, noun) for number, noun in numbers)
    present = manifest.present
    absent = [f"{t}.{c.name}" for t, columns in TABLES.items() for c in columns if c.name not in present.get(t, [])]
    kept = sorted(manifest.vectors.items())
    vectors = [f"{of} ({counted(table.articles, 'article')}, {table.made_by})" for of, table in kept]
    described = f"; vectors of {', '.join(vectors)}" if vectors else ""
    return Finding("data", f"{root}: {counts}, {days}; absent: {', '.join(absent) or 'nothing'}{described}", True)
