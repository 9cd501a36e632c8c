"""Measure the peak memory of a piece of work, its child processes included."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hmgpu.core.machine import GIB

EVERY = 0.1  # seconds; a shorter peak is missed


class Peak:
    """The largest number of bytes seen so far."""

    def __init__(self) -> None:
        self.bytes = resident()

    @property
    def gib(self) -> float:
        return round(self.bytes / GIB, 2)


@contextmanager
def watched() -> Iterator[Peak]:
    """Yield a `Peak` that follows the resident memory of this process and its children until the block ends."""
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            peak.bytes = max(peak.bytes, resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
        peak.bytes = max(peak.bytes, resident())


def resident() -> int:
    """Return the bytes of memory that this process and all its children hold now."""
    import psutil

    process = psutil.Process()
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:  # it ended meanwhile
            continue
    return total
