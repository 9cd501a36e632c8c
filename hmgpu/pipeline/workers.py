"""The workers for what can be done in parallel: this process, or a Dask cluster (dask_workers.py)."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from hmgpu.core.progress import stage, tracked
from hmgpu.core.runlog import FIELDS
from hmgpu.core.words import counted

log = logging.getLogger(__name__)
T = TypeVar("T")


class Workers(Protocol):
    """Whatever runs tasks. A task is a call without arguments that can be pickled, and that may be run twice."""

    client: Any
    """Their Dask client, for libraries that distribute work by themselves; None without a cluster."""

    @property
    def number(self) -> int:
        """Return the number of workers now."""

    @property
    def share(self) -> float:
        """Return the share of `memory_gb` that each of them may plan with."""

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Run `tasks` and return their results in order; the name `what` is shown with the progress."""


@contextmanager
def one_stage(what: str, tasks: int) -> Iterator[None]:
    """Mark the block, which runs so many `tasks`, as a stage, and say when it is over."""
    started = time.perf_counter()
    with stage():
        yield
    seconds = round(time.perf_counter() - started, 1)
    fields = {"stage": what, "tasks": tasks, "seconds": seconds}
    level = logging.INFO if seconds else logging.DEBUG  # all was there already
    log.log(level, "%s: %s in %.1f s", what, counted(tasks, "task"), seconds, extra={FIELDS: fields})


class InProcess:
    """This process, which runs one task after the other."""

    client = None
    number = 1
    share = 1.0

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        with one_stage(what, len(tasks)):
            return [task() for task in tracked(tasks, what, len(tasks))]


IN_PROCESS = InProcess()
