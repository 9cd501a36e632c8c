"""Hardware and package versions, as recorded in manifests and result files and shown by `hmgpu doctor`."""

import platform
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hmgpu.core.threads import threads

PACKAGES = (
    "hmgpu", "polars", "numpy", "scipy", "pandas", "pyarrow", "pydantic", "dask", "xgboost", "torch",
    "pytorch-lightning", "nvtabular", "merlin-core", "merlin-dataloader", "merlin-models", "cudf-polars-cu13",
    "scikit-learn", "implicit", "gensim", "cudf-cu13", "cuml-cu13", "cupy-cuda13x",
)  # fmt: skip
GIB = 2**30


def machine() -> dict[str, Any]:
    """Describe the machine: processor, cores, threads, memory, GPU and operating system."""
    import psutil

    return {
        "cpu": cpu_name(),
        "cores": psutil.cpu_count(logical=False),
        "threads": threads(),
        "memory_gib": round(psutil.virtual_memory().total / GIB, 1),
        "gpu": gpus(),
        "system": f"{platform.system()} {platform.machine()}",
    }


@cache
def versions() -> Mapping[str, str]:
    """Versions of Python and of the installed packages among `PACKAGES`, as they were when first asked for."""
    from importlib import metadata

    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def cpu_name() -> str:
    """The processor's name, from /proc/cpuinfo where it exists: Python's own answer is empty on Linux."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def gpus() -> str:
    """Every GPU with its memory and driver, as `nvidia-smi` lists them."""
    if shutil.which("nvidia-smi") is None:
        return "none (no nvidia-smi)"
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    return answer.stdout.strip() or f"none ({answer.stderr.strip() or 'nvidia-smi says nothing'})"
