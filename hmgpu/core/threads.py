"""One number of threads for all pools: the processors that this process may use. Idle threads wait, they don't spin."""

import math
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

POOLS = (
    "POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)  # fmt: skip
"""What the libraries take the size of their pools from when they start them. XGBoost, torch, LightGBM, scikit-learn and
Arrow go by OpenMP's."""
WAITING = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}
"""How OpenMP's threads wait. Else they hold their processor for milliseconds after each piece of work, others lack it:
next to one busy process, training two towers took 1.4 times as long."""
CHOSEN = "HMGPU_THREADS"
"""Set in the environment, and so in the processes that are started from here: the number that was chosen."""


def use_threads(number: int | None = None) -> int:
    """Give all pools `number` threads, None: what was chosen before, else as many as `processors`; returns the number.

    Pools that have started keep their size where nothing can change it (Polars), so it is called early. Without a
    number, a size that the environment gives to a pool stays.
    """
    size = number or threads()
    for name in POOLS:
        if number is not None or name not in os.environ:
            os.environ[name] = str(size)
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    before, os.environ[CHOSEN] = os.environ.get(CHOSEN), str(size)
    if before != str(size):
        _resize(size)
    return size


def threads() -> int:
    """Return the number that `use_threads` chose, else that of the processors, for pools that are given their size."""
    return int(os.environ.get(CHOSEN) or processors())


def processors() -> int:
    """Return how many processors this process may use at a time: by its affinity, and by the quota of its cgroup.

    `docker run --cpus 2` is such a quota, which the number of processors knows nothing of.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *map(math.ceil, quotas())]))


def quotas(processes: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Iterator[float]:
    """Yield the processors that each cgroup around this process may use, of those that have a limit.

    Version 2 has `cpu.max` ("200000 100000", or "max"), version 1 two files; a container sees its own cgroup as root.
    """
    try:
        lines = processes.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / controllers if controllers else root
        below = Path(path.lstrip("/"))
        for folder in {top, *(top / part for part in (below, *below.parents))}:
            files = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if controllers else ("cpu.max",)
            quota, period = _numbers([folder / file for file in files])
            if quota > 0:
                yield quota / period


def _numbers(files: Iterable[Path]) -> tuple[float, float]:
    """Return the two numbers that `files` hold; -1 for both where a file is not there or says "max"."""
    try:
        first, second = " ".join(file.read_text() for file in files).split()
        return float(first), float(second)
    except (OSError, ValueError):
        return -1, -1


def _resize(size: int) -> None:
    """Resize the pools of what is loaded already."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(size)
    if any(name in sys.modules for name in ("numpy", "torch", "xgboost", "sklearn")):
        from threadpoolctl import threadpool_limits

        threadpool_limits(size)
