"""What this machine and this installation can do, and what lies in the data folder."""

import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import psutil
from rich.markup import escape
from rich.table import Table

from hmgpu.data.manifest import Manifest
from hmgpu.data.tables import TABLES
from hmgpu.data.weeks import date_of
from hmgpu.engine import Choice, Engine
from hmgpu.errors import HmgpuError

PACKAGES = ("hmgpu", "polars", "numpy", "pyarrow", "pydantic", "xgboost")
GPU_PACKAGES = ("cudf-polars-cu13", "cudf-cu13", "cuml-cu13", "cupy-cuda13x")
GIB = 2**30


def examine(choice: Choice, data: Path | None) -> Table:
    """One line a fact: machine, GPU, packages, the engine that `choice` gives and why, and the data set in `data`."""
    table = Table("what", "found", title="hmgpu doctor", show_lines=False)
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(data if data and data.is_dir() else Path.cwd())
    table.add_row("system", f"{platform.system()} {platform.machine()}, Python {platform.python_version()}")
    table.add_row("CPU", f"{_cpu_name()}, {psutil.cpu_count(logical=False)} cores, {psutil.cpu_count()} threads")
    table.add_row("memory", f"{memory.total / GIB:.1f} GiB, {memory.available / GIB:.1f} GiB free")
    table.add_row("disk", f"{disk.total / GIB:.0f} GiB, {disk.free / GIB:.0f} GiB free")
    table.add_row("GPU", _gpus())
    for package in PACKAGES + GPU_PACKAGES:
        table.add_row(package, _version(package))
    try:
        engine = Engine.choose(choice)
        table.add_row("engine", escape(f"{engine.name}: {engine.reason}"))
    except HmgpuError as error:
        table.add_row("engine", escape(str(error)))
    table.add_row("data", escape(_data(data)) if data else "no folder named (--data or --config)")
    return table


def _cpu_name() -> str:
    """The processor's name; Python's own answer is empty on Linux."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _gpus() -> str:
    """Every GPU with its memory and driver, as NVIDIA's own tool tells."""
    if shutil.which("nvidia-smi") is None:
        return "none (no nvidia-smi)"
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    return answer.stdout.strip() or f"none ({answer.stderr.strip() or 'nvidia-smi says nothing'})"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _data(root: Path) -> str:
    try:
        manifest = Manifest.read(root)
    except HmgpuError as error:
        return str(error)
    days = f"{date_of(manifest.first_day)} to {date_of(manifest.last_day)}"
    counts = f"{manifest.rows:,} rows, {manifest.articles:,} articles, {manifest.customers:,} customers"
    present = manifest.present
    absent = [f"{t}.{c.name}" for t, columns in TABLES.items() for c in columns if c.name not in present.get(t, [])]
    return f"{root}: {counts}, {days}; absent: {', '.join(absent) or 'nothing'}"
