"""Who does the work that can be done side by side: this process, or a Dask cluster (cluster.py)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from hmgpu.core.console import tracked
from hmgpu.core.engine import Engine

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


class Here:
    """This process, one task after the other."""

    client = None
    number = 1
    share = 1.0

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return [task() for task in tracked(tasks, what, len(tasks))]


HERE = Here()


@contextmanager
def hired(where: str | None, engine: Engine) -> Iterator[Workers]:
    """The workers of the cluster `where` (see `cluster.cluster`); this process where that is None."""
    if where is None:
        yield HERE
        return
    from hmgpu.pipeline.dask_workers import cluster  # Dask takes a second to load

    with cluster(where, engine) as workers:
        yield workers
