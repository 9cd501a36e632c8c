"""The same run by worker processes, some of which are killed at their work."""

import json
import logging
import operator
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dask.config
import pytest
from distributed.utils import get_mp_context
from kit import demo_config

from hmgpu.cli.options import start_workers
from hmgpu.core.engine import CHOSEN, Engine, gpu_was_chosen
from hmgpu.core.errors import EngineError, RunError
from hmgpu.data.store import Store
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.dask_workers import Cluster, _do, cluster
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.shards import split
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.runs.run import code_digest

CPU = Engine("cpu", "tests")
LOADED = (
    "hmgpu.pipeline.dask_workers",
    "hmgpu.pipeline.pipeline",
    "hmgpu.parts.models.encode.merlin",
    "hmgpu.parts.models.trees.boosting",
)


@pytest.fixture(scope="module")
def config(raw: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The demo with small models, and with so little memory that there are several shards."""
    folder = tmp_path_factory.mktemp("cluster")
    places = [f"data.raw={raw}", f"data.root={store.root}", f"runs={folder / 'alone'}"]
    smaller = ["weeks.train=2", "ranker.rounds=10", "memory_gb=0.1"]
    return load_config(demo_config(folder, models=True), [*places, *smaller])


def test_on_gpus_each_process_sees_one_device(monkeypatch: pytest.MonkeyPatch):
    gpu = Engine("gpu", "a stand-in")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, GPU-7,2")
    with cluster("2", gpu) as workers:
        seen = workers.client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
    assert sorted(seen.values()) == ["5", "GPU-7"]
    with pytest.raises(
        EngineError, match=r"^--cluster 4 needs a GPU for each process, .* may use 3: ask for that many"
    ):
        cluster("4", gpu).__enter__()


@pytest.mark.parametrize("gpu", [False, True])
def test_a_worker_knows_whether_the_client_chose_a_gpu(gpu: bool, monkeypatch: pytest.MonkeyPatch):
    """Merlin asks, in the process that it is loaded in."""
    monkeypatch.setattr(os, "environ", {name: value for name, value in os.environ.items() if name != CHOSEN})
    assert _do(gpu_was_chosen, code_digest(), gpu) == gpu


@pytest.fixture(scope="module")
def two() -> Iterator[Cluster]:
    """Two processes, and whatever comes in their place, forked off one that has everything imported."""
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        get_mp_context().set_forkserver_preload(["distributed", *LOADED])
        with cluster("2", CPU) as workers:
            yield workers


@pytest.fixture(scope="module")
def alone(config: Config) -> bytes:
    return submission(config, IN_PROCESS)


@pytest.fixture(scope="module")
def untrained(config: Config) -> Config:
    """The same without the model: whose worker dies while examples are written is one and the same with it."""
    kept = {name: part for name, part in config.retrievers.items() if name != "two_tower"}
    return config.model_copy(update={"retrievers": kept, "runs": config.runs / "untrained"})


def submission(config: Config, workers: Workers) -> bytes:
    with open_pipeline(config, CPU, workers).working() as pipeline:
        pipeline.evaluate()
        return pipeline.submit().read_bytes()


def test_two_processes_come_to_the_submission_of_one(config: Config, alone: bytes, two: Cluster, tmp_path: Path):
    elsewhere = config.model_copy(update={"runs": tmp_path})
    logging.getLogger("hmgpu").setLevel(logging.DEBUG)
    assert submission(elsewhere, two) == alone
    (run,) = (steps.parent for steps in tmp_path.glob("*/steps"))
    customers = Store(config.data.root).customer_ids().select("customer").collect()
    shards = split(customers, config.retrievers.values(), config.memory_gb * two.share, lambda: 560)
    assert len(list(run.glob("steps/*/recommend/*"))) == len(shards) > 2
    # The workflows were fitted through the workers, to the same files.
    fitted = [file for runs in (config.runs, tmp_path) for file in runs.glob("*/steps/*/encode/manifest.json")]
    hashes = [json.loads(file.read_text())["files"] for file in fitted]
    assert hashes[0] == hashes[1]
    assert len(hashes) == 2
    # What workers said is in the run's log, as it would be of one process.
    log = (run / "log.jsonl").read_text()
    assert all(f"recommend/{shard.number:03}: {shard.customers.height:,} customers" in log for shard in shards)


def test_a_worker_that_is_killed_at_its_work_changes_nothing(untrained: Config, two: Cluster, tmp_path: Path):
    alone = submission(untrained, IN_PROCESS)
    elsewhere = untrained.model_copy(update={"runs": tmp_path})
    before = two.client.run(os.getpid)
    killed: list[int] = []

    def kill_one_that_describes() -> None:
        for _ in range(60_000):
            if any(tmp_path.glob("*/steps/*/examples/.unfinished-*")):
                busy = [worker for worker, tasks in two.client.processing().items() if tasks]
                if busy:
                    os.kill(before[busy[0]], signal.SIGKILL)
                    killed.append(before[busy[0]])
                    return
            time.sleep(0.001)

    killer = threading.Thread(target=kill_one_that_describes)
    killer.start()
    try:
        found = submission(elsewhere, two)
    finally:
        killer.join()
    assert killed
    assert killed[0] not in two.client.run(os.getpid).values()
    assert found == alone


def _refuse(error: Exception) -> None:
    raise error


def test_results_come_in_the_order_of_tasks_and_errors_as_they_are(two: Cluster):
    later = [partial(operator.add, number, 1) for number in range(20)]
    assert two.each("tests", later) == list(range(1, 21))
    with pytest.raises(RunError, match="nobody knows"):
        two.each("tests", [*later, partial(_refuse, RunError("nobody knows"))])
    assert two.share == 0.5


def test_without_a_cluster_this_process_does_the_work():
    with start_workers(None, CPU) as workers:
        assert workers is IN_PROCESS
        assert workers.each("tests", [os.getpid, os.getpid]) == [os.getpid()] * 2


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hmgpu.pipeline.dask_workers.LIMIT", 0.5)
    with (
        pytest.raises(RunError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        start_workers("tcp://127.0.0.1:9", CPU),
    ):
        pass


def test_what_listens_and_is_no_scheduler_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hmgpu.pipeline.dask_workers.LIMIT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with (
            pytest.raises(RunError, match=rf"No Dask scheduler answers at {address} within 0\.5 s"),
            start_workers(address, CPU),
        ):
            pass


@pytest.mark.parametrize("where", ["0", "localhost", "-3", "two", "http://host:80"])
def test_what_is_neither_a_number_nor_an_address_is_named(where: str):
    told = (
        f"--cluster {where} is neither a number of processes from 1 nor the address of a Dask scheduler with its port"
    )
    with pytest.raises(RunError, match=told), start_workers(where, CPU):
        pass


def test_workers_of_another_version_are_refused(two: Cluster, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hmgpu.pipeline.dask_workers.code_digest", lambda: "ours")
    with start_workers(two.client.scheduler.address, CPU) as workers:
        with pytest.raises(RunError, match="runs a different hmgpu than this process"):
            workers.each("tests", [os.getpid])
        monkeypatch.undo()
        assert workers.share == 1.0
        assert workers.each("tests", [os.getpid])[0] in two.client.run(os.getpid).values()


def test_a_task_whose_workers_all_die_is_an_error_that_says_so(two: Cluster):
    with pytest.raises(RunError, match="died one after the other, most likely for want of memory: lower memory_gb"):
        two.each("tests", [partial(os._exit, 1)])
    two.client.wait_for_workers(2, timeout=120)
