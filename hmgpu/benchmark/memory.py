"""Measure the memory that a piece of work takes, in a process of its own.

Within one process, memory that a contender has freed stays and is used by the next, which then seems to need none.
"""

import gc
import platform
import resource
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from hmgpu.core.alone import alone

MIB = 2**20
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def held(make: Callable[[], Iterable[Any]]) -> float:
    """Return the MiB by which a fresh process grows at most while it iterates over `make()`, without its imports.

    Measured between one item and the next: memory that is held all the while, not what is needed in passing.
    """
    return alone(_growth, make)


def peak(work: Callable[[], Any], first: Callable[[], Any]) -> float:
    """Return the MiB of resident memory that a fresh process needs at the height of `work()`, beyond its start.

    Args:
        first: is called before `work`, so that what it imports, loads or starts doesn't count.
    """
    return alone(_height, work, first)


def highest() -> float:
    """Return this process's largest resident memory in MiB; on Linux since `forget`, where the system allows it."""
    if STATUS.is_file():
        # Not getrusage: a process that was forked and replaced inherits the height of the one that started it.
        height = next(entry for entry in STATUS.read_text().splitlines() if entry.startswith("VmHWM:"))
        return int(height.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (MIB if platform.system() == "Darwin" else 1024)


def forget() -> None:
    """Reset `highest`, where the system can: importing may have taken more memory than the work will."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return


def _height(work: Callable[[], Any], first: Callable[[], Any]) -> float:
    first()
    gc.collect()
    forget()
    before = psutil.Process().memory_info().rss / MIB
    work()
    return highest() - before


def _growth(make: Callable[[], Iterable[Any]]) -> float:
    process = psutil.Process()
    before = most = process.memory_info().rss
    for _ in make():
        most = max(most, process.memory_info().rss)
    return (most - before) / MIB
