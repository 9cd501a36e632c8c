"""One model fitted by several processes, each on its own files."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from planted import PER_CUSTOMER, SMALL, map_of, on_disk, planted

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.pipeline.dask_workers import Cluster, cluster

CPU = Engine("cpu", "tests")
BOTH = SMALL.model_copy(update={"workers": 2})


@pytest.fixture(scope="module")
def two() -> Iterator[Cluster]:
    with cluster("2", CPU) as workers:
        yield workers


@pytest.fixture
def training(tmp_path: Path) -> Examples:
    """Three files with something to learn and one without."""
    whole = planted(150, 1)
    cuts = {f"part{n}": whole[n * 50 * PER_CUSTOMER : (n + 1) * 50 * PER_CUSTOMER] for n in range(3)}
    return on_disk(tmp_path, nobody=whole.clear(), **cuts)


@pytest.fixture
def validation(tmp_path: Path) -> Examples:
    return on_disk(tmp_path, validation=planted(60, 2))


def bytes_of(model) -> bytes:
    return bytes(model.booster.save_raw("ubj"))


def test_two_processes_learn_what_one_does_and_the_same_each_time(training, validation, two: Cluster):
    once, again = (BOTH.fit(training, validation, CPU, 1, two.client) for _ in range(2))
    assert bytes_of(once) == bytes_of(again)
    assert map_of(once, planted(100, 3), CPU) > 0.9
    # A single process samples other rows and adds sums in another order, so two processes did the work.
    sampled = BOTH.model_copy(update={"rows": 0.7})
    alone = sampled.model_copy(update={"workers": 1})
    assert bytes_of(sampled.fit(training, validation, CPU, 1, two.client)) != bytes_of(
        alone.fit(training, validation, CPU, 1)
    )


def test_with_one_file_one_process_does_everything(training, validation, two: Cluster):
    one = replace(training, files=training.files[:2])
    assert bytes_of(BOTH.fit(one, validation, CPU, 1, two.client)) == bytes_of(SMALL.fit(one, validation, CPU, 1))


def test_all_processes_stop_when_validation_gets_no_better(training, two: Cluster, tmp_path):
    table = planted(60, 2)
    opposite = on_disk(tmp_path, opposite=table.with_columns(label=1 - table["label"]))
    eager = BOTH.model_copy(update={"rounds": 200, "patience": 3})
    assert eager.fit(training, opposite, CPU, 1, two.client).booster.num_boosted_rounds() < 20


def test_both_rankers_of_a_cascade_may_be_fitted_together(training, validation, two: Cluster):
    cascade = Cascade(first=BOTH, keep=12, then=BOTH)
    assert cascade.processes == 2
    assert map_of(cascade.fit(training, validation, CPU, 1, two.client), planted(50, 3), CPU) > 0.9


def test_a_lost_process_is_an_error(training, validation, two: Cluster):
    slow = BOTH.model_copy(update={"rounds": 100_000, "patience": 100_000})
    (victim, *_) = two.client.run(os.getpid).values()

    def kill() -> None:
        time.sleep(4)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(RunError, match="Fitting trees with 2 processes failed"):
        slow.fit(training, validation, CPU, 1, two.client)
    killer.join()
    # The other process is free again, and so is the one that replaced the dead one.
    two.client.wait_for_workers(2, timeout=60)
    assert map_of(BOTH.fit(training, validation, CPU, 1, two.client), planted(50, 3), CPU) > 0.9
