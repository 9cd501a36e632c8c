"""Who does the work that can be done in parallel: this process, or a Dask cluster (dask_workers.py)."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from hmgpu.core.console import tracked

T = TypeVar("T")


class Workers(Protocol):
    """Those who do tasks. A task is a call without arguments that can be pickled, and may be done twice."""

    client: Any
    """Their Dask client, for libraries that share out work by themselves; None where there is none."""

    @property
    def number(self) -> int:
        """How many they are now."""

    @property
    def share(self) -> float:
        """Of `memory_gb`, what each of them may plan with."""

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """What each of `tasks` returned, in their order; `what` they are is shown with the progress."""


class InProcess:
    """This process, one task after the other."""

    client = None
    number = 1
    share = 1.0

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return [task() for task in tracked(tasks, what, len(tasks))]


IN_PROCESS = InProcess()
