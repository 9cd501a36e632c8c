"""The workers for what can be done in parallel: this process, or a Dask cluster (dask_workers.py)."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from hmgpu.core.progress import tracked

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


class InProcess:
    """This process, which runs one task after the other."""

    client = None
    number = 1
    share = 1.0

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return [task() for task in tracked(tasks, what, len(tasks))]


IN_PROCESS = InProcess()
