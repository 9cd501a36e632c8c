"""The memory that iterating over something takes, seen in a process of its own.

Within one process, what a contender has freed stays and is used by the next, which then seems to need nothing.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import psutil

MIB = 2**20


def held(make: Callable[[], Iterable[Any]]) -> float:
    """MiB by which a fresh process grows at most while it goes through `make()`; what it imports doesn't count.

    `make` is pickled, so it is a function of a module, or a `partial` of one.
    """
    # Spawned: a fork would start with all of our memory, and with locks that nobody will open.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_growth, make).result()


def _growth(make: Callable[[], Iterable[Any]]) -> float:
    process = psutil.Process()
    before = most = process.memory_info().rss
    for _ in make():
        most = max(most, process.memory_info().rss)
    return (most - before) / MIB
