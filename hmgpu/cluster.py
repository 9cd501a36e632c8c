"""A Dask cluster: the same tasks on several processes or machines that share a file system.

Dask hands out tasks, notices workers that die and gives their tasks to others; a task is one step of a run, which is
written as any step is. Nothing but small calls and the names of finished steps goes over the network.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dask.config
import psutil
from distributed import Client, LocalCluster, as_completed

from hmgpu.console import tracked
from hmgpu.engine import Engine
from hmgpu.errors import RunError
from hmgpu.runs.run import code_digest

T = TypeVar("T")

SECONDS_TO_CONNECT = 30


class Cluster:
    """Workers of a Dask cluster, seen through its client."""

    def __init__(self, client: Client, share: float) -> None:
        self.client, self.share = client, share

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """What each of `tasks` returned, in their order. A task whose worker dies is done again by another."""
        futures = [self.client.submit(_do, task, pure=False) for task in tasks]
        try:
            for _ in tracked(as_completed(futures, raise_errors=False), what, len(futures)):
                pass
            return self.client.gather(futures)  # type: ignore[no-any-return]
        finally:
            self.client.cancel(futures)  # one failed: the others' results are wanted by nobody

    def __reduce__(self) -> Any:
        from hmgpu.workers import Here

        return Here, ()  # what is sent to a worker does its work itself


def _do(task: Callable[[], T]) -> T:
    logging.getLogger("hmgpu").setLevel(logging.DEBUG)  # a worker's log goes to the client, which chooses
    return task()


@contextmanager
def cluster(where: str, engine: Engine) -> Iterator[Cluster]:
    """The cluster `where`: a number of processes to start on this machine, or the address of a scheduler.

    Each local process plans with its part of `memory_gb`; a worker of a cluster elsewhere with all of it.
    Raises RunError where no scheduler answers or its workers have another version of this package.
    """
    with tempfile.TemporaryDirectory() as scratch:
        if where.isdigit():
            with local(int(where), engine, Path(scratch)) as started, Client(started) as client:
                yield _checked(client, 1 / int(where), where)
            return
        try:
            client = Client(where, timeout=SECONDS_TO_CONNECT)
        except (OSError, ValueError, TimeoutError) as error:
            raise RunError(
                f"No Dask scheduler answers at {where} ({error}); give its address, such as tcp://host:8786, "
                "or a number of processes."
            ) from None
        with client:
            yield _checked(client, 1.0, where)


@contextmanager
def local(processes: int, engine: Engine, scratch: Path) -> Iterator[Any]:
    """A cluster of that many processes on this machine, one for each GPU where there are some."""
    if engine.name == "gpu":
        from dask_cuda import LocalCUDACluster

        with LocalCUDACluster(n_workers=processes, local_directory=str(scratch), dashboard_address=None) as started:
            yield started
        return
    threads = str(max(1, (psutil.cpu_count() or 1) // processes))
    names = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    # Libraries read these when they are loaded, which may be before Dask sets a worker's own environment.
    inherited = {"distributed.nanny.pre-spawn-environ": dict.fromkeys(names, threads)}
    with (
        dask.config.set(inherited),
        LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            memory_limit=None,  # memory is planned for; Dask would stop workers that use what they may
            dashboard_address=None,
            local_directory=str(scratch),
        ) as started,
    ):
        yield started


def _code_there() -> str:
    return code_digest()


def _checked(client: Client, share: float, where: str) -> Cluster:
    client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    others = {worker: digest for worker, digest in client.run(_code_there).items() if digest != code_digest()}
    if others:
        raise RunError(f"The Dask worker {min(others)} of {where} has another hmgpu; install this one there.")
    client.forward_logging("hmgpu")
    return Cluster(client, share)
