"""What a figure was measured on: hardware and versions, as every result file has them."""

import platform
from importlib import metadata
from typing import Any

import psutil

from hmgpu import doctor

PACKAGES = (
    "hmgpu", "polars", "pandas", "numpy", "pyarrow", "dask", "nvtabular", "merlin-core", "merlin-dataloader",
    "merlin-models", "torch", "pytorch-lightning", "xgboost", "cudf-cu13", "cudf-polars-cu13",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """The processor, its cores, memory and GPU."""
    return {
        "cpu": doctor._cpu_name(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": doctor._gpus(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Of Python and of all packages that take part and are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
