"""Run tasks on a Dask cluster: several processes or machines that share a file system.

Dask hands out tasks, notices workers that die and gives their tasks to others; a task is one step of a run, written
like any other step. Only small calls and the names of finished steps go over the network.
"""

import asyncio
import itertools
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from hmgpu.core.engine import Engine, gpu_was_chosen, remember_gpu
from hmgpu.core.errors import EngineError, RunError
from hmgpu.core.extras import needed_by
from hmgpu.core.progress import stage, tracked
from hmgpu.core.threads import CHOSEN, POOLS, threads
from hmgpu.pipeline.workers import InProcess, one_stage
from hmgpu.runs.run import code_digest

with needed_by("--cluster"):
    import dask.config
    from distributed import Client, KilledWorker, LocalCluster, Security, as_completed
    from distributed.comm.addressing import get_address_host_port
    from distributed.comm.core import connect

T = TypeVar("T")

SECONDS = 30  # to wait for a client, for the first worker, and for the end
LIMIT = 10  # seconds to wait for the answer of a scheduler


class Cluster:
    """Workers of a Dask cluster, seen through its client."""

    def __init__(self, client: Client, share: float) -> None:
        self.client, self.share = client, share

    @property
    def number(self) -> int:
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def each(self, what: str, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Run `tasks` and return their results in order. A task whose worker dies is run again by another."""
        # Not pure: a task counts for what it writes to disk, so the result of an equal, earlier task is not enough.
        futures = [self.client.submit(_do, task, code_digest(), gpu_was_chosen(), pure=False) for task in tasks]
        try:
            with one_stage(what, len(futures)):
                for future in tracked(as_completed(futures, loop=self.client.loop), what, len(futures)):
                    future.result()  # the first error ends it
            return self.client.gather(futures)  # type: ignore[no-any-return]
        except KilledWorker:
            raise RunError(
                f"{what}: the workers of one task died one after the other, most likely for want of memory: lower "
                "memory_gb, which makes shards smaller, or use fewer workers."
            ) from None
        finally:
            self.client.cancel(futures)

    def __reduce__(self) -> Any:
        return InProcess, ()  # a worker does all of a task itself


def _do(task: Callable[[], T], code: str, gpu: bool) -> T:
    logging.getLogger("hmgpu").setLevel(logging.DEBUG)  # a worker's log goes to the client, which chooses
    if code_digest() != code:
        raise RunError("A Dask worker runs a different hmgpu than this process: install the same version there.")
    if gpu:  # a worker of another machine was not started by the client
        remember_gpu()
    with stage():  # of the client, which says itself what was done
        return task()


@contextmanager
def cluster(where: str, engine: Engine) -> Iterator[Cluster]:
    """Connect to the cluster `where`: a number of processes to start on this machine, or a scheduler's address.

    Each local process plans with its part of `memory_gb`, a worker of a cluster elsewhere with all of it.
    Raises RunError where no scheduler with a worker answers.
    """
    if where.isdigit() and int(where):
        with local(int(where), engine) as address, _connected(address) as client:
            yield Cluster(client, 1 / int(where))
        return
    with _connected(where) as client:
        yield Cluster(client, 1.0)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    _refuse_if_silent(address)
    # Not as Dask's default client: Merlin, which looks for one, would send work to unprepared workers.
    with Client(address, timeout=SECONDS, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=SECONDS)
        except TimeoutError:
            raise RunError(
                f"The Dask scheduler at {address} has no worker; start one: dask worker {address}."
            ) from None
        client.forward_logging("hmgpu")
        yield client


def _refuse_if_silent(address: str) -> None:
    """Raise RunError unless a Dask scheduler answers at `address`.

    Asked before there is a client: one that could not connect waits for a minute at the end of the process.
    """

    async def greet() -> None:
        async with asyncio.timeout(LIMIT):
            comm = await connect(address, timeout=LIMIT, **Security().get_connection_args("client"))
        comm.abort()

    try:
        get_address_host_port(address)
    except ValueError:
        raise RunError(
            f"--cluster {address} is neither a number of processes from 1 nor the address of a Dask scheduler with its "
            "port, such as tcp://host:8786."
        ) from None
    try:
        with ThreadPoolExecutor(1) as aside:  # this thread may have a running event loop, as in a notebook
            aside.submit(asyncio.run, greet()).result()
    except (OSError, TimeoutError):
        raise RunError(
            f"No Dask scheduler answers at {address} within {LIMIT} s: start one with `dask scheduler`, or give "
            "--cluster a number of processes."
        ) from None


@contextmanager
def local(processes: int, engine: Engine) -> Iterator[str]:
    """Start a cluster of `processes` on this machine, each with a GPU of its own on that engine; yield its address."""
    share = str(max(1, threads() // processes))
    settings: dict[str, Any] = {
        "distributed.nanny.environ": dict.fromkeys((*POOLS, CHOSEN), share),
        # Dask's default sets OMP_NUM_THREADS=1 in this process too, which would bind training here to one thread.
        "distributed.nanny.pre-spawn-environ": {"MALLOC_TRIM_THRESHOLD_": 65536},
        # On a busy machine a killed worker's successor may load for longer than 15 s, and would be given up for good.
        "distributed.deploy.lost-worker-timeout": "10 minutes",
        "distributed.scheduler.no-workers-timeout": "10 minutes",
    }
    make = _cluster_of(engine, processes)
    # Set for as long as the cluster runs: some settings are read when a worker is lost.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch, dask.config.set(settings):
        started = make(
            n_workers=processes,
            threads_per_worker=1,
            memory_limit=None,  # hmgpu plans the memory; Dask would stop workers that use all that they may
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # otherwise anybody on the network could open it
            local_directory=scratch,
        )
        try:
            yield str(started.scheduler_address)
        finally:
            # A worker that died at once can leave Dask waiting; the processes end with this one.
            with suppress(TimeoutError):
                started.close(timeout=SECONDS)


class _OnDevices(LocalCluster):
    """A cluster whose workers each see one device of `devices` and no other."""

    def __init__(self, devices: Sequence[str], n_workers: int, **settings: Any) -> None:
        self.devices = iter(itertools.cycle(devices[:n_workers]))
        super().__init__(n_workers=0, **settings)
        self.scale(n_workers)
        self.sync(self._correct_state)

    def new_worker_spec(self) -> dict[Any, Any]:
        (name, spec), *_ = super().new_worker_spec().items()
        seen = {"CUDA_VISIBLE_DEVICES": next(self.devices)}
        return {name: spec | {"options": spec["options"] | {"env": seen}}}


def _cluster_of(engine: Engine, processes: int) -> Callable[..., LocalCluster]:
    """Return what starts the processes. Raises EngineError where there are fewer devices than processes."""
    if engine.name == "cpu":
        return LocalCluster
    devices = engine.devices
    if processes > len(devices):
        raise EngineError(
            f"--cluster {processes} needs a GPU for each process, and this process may use {len(devices)}: ask for "
            f"that many, or leave --cluster out."
        )
    return partial(_OnDevices, devices)
