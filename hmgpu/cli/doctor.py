"""What this machine and this installation can do, and what lies in the data folder."""

import shutil
from pathlib import Path

import psutil
from rich.table import Table

from hmgpu.core.choices import Choice
from hmgpu.core.engine import Engine
from hmgpu.core.errors import HmgpuError
from hmgpu.core.machine import GIB, PACKAGES, machine, versions
from hmgpu.data.manifest import Manifest
from hmgpu.data.tables import TABLES
from hmgpu.data.weeks import date_of


def examine(choice: Choice, data: Path | None) -> Table:
    """Tabulate machine, GPU, packages, the engine that `choice` gives and why, and the data set in `data`."""
    table = Table("what", "found", title="hmgpu doctor", show_lines=False)
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(data if data and data.is_dir() else Path.cwd())
    facts, found = machine(), versions()
    table.add_row("system", f"{facts['system']}, Python {found['python']}")
    table.add_row("CPU", f"{facts['cpu']}, {facts['cores']} cores, {facts['threads']} threads")
    table.add_row("memory", f"{memory.total / GIB:.1f} GiB, {memory.available / GIB:.1f} GiB free")
    table.add_row("disk", f"{disk.total / GIB:.0f} GiB, {disk.free / GIB:.0f} GiB free")
    table.add_row("GPU", facts["gpu"])
    for package in PACKAGES:
        table.add_row(package, found.get(package, "not installed"))
    try:
        engine = Engine.choose(choice)
        table.add_row("engine", f"{engine.name}: {engine.reason}")
    except HmgpuError as error:
        table.add_row("engine", str(error))
    table.add_row("data", _data(data) if data else "no folder named (--data or --config)")
    return table


def _data(root: Path) -> str:
    try:
        manifest = Manifest.read(root)
    except HmgpuError as error:
        return str(error)
    days = f"{date_of(manifest.first_day)} to {date_of(manifest.last_day)}"
    counts = f"{manifest.rows:,} rows, {manifest.articles:,} articles, {manifest.customers:,} customers"
    present = manifest.present
    absent = [f"{t}.{c.name}" for t, columns in TABLES.items() for c in columns if c.name not in present.get(t, [])]
    vectors = [f"{of} ({table.articles:,} articles, {table.made_by})" for of, table in sorted(manifest.vectors.items())]
    described = f"; vectors of {', '.join(vectors)}" if vectors else ""
    return f"{root}: {counts}, {days}; absent: {', '.join(absent) or 'nothing'}{described}"
