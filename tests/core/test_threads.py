"""One number of threads for all pools: by affinity, by the cgroups around the process, and as it is asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hmgpu.core.threads import CHOSEN, POOLS, WAITING, processors, quotas, threads, use_threads


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    for name in (CHOSEN, *POOLS, *WAITING):
        monkeypatch.setenv(name, "")  # so that it is as before afterwards
        monkeypatch.delenv(name)


def cgroups(folder: Path, lines: str, files: dict[str, str]) -> list[float]:
    (folder / "cgroup").write_text(lines)
    for name, content in files.items():
        (folder / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "fs" / name).write_text(content)
    return sorted(quotas(folder / "cgroup", folder / "fs"))


def test_a_container_sees_its_quota_at_the_root(tmp_path):
    assert cgroups(tmp_path, "0::/\n", {"cpu.max": "250000 100000\n"}) == [2.5]


def test_every_cgroup_around_the_process_counts(tmp_path):
    files = {"cpu.max": "max 100000\n", "a/cpu.max": "400000 100000\n", "a/b.service/cpu.max": "50000 100000\n"}
    assert cgroups(tmp_path, "0::/a/b.service\n", files) == [0.5, 4]


def test_version_1_has_two_files_and_minus_1_for_no_limit(tmp_path):
    files = {
        "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "cpu,cpuacct/docker/cpu.cfs_quota_us": "150000\n",
        "cpu,cpuacct/docker/cpu.cfs_period_us": "50000\n",
    }
    assert cgroups(tmp_path, "4:memory:/docker\n3:cpu,cpuacct:/docker\n0::/\n", files) == [3]


def test_without_cgroups_there_is_no_quota(tmp_path):
    assert list(quotas(tmp_path / "none", tmp_path)) == []


@pytest.mark.parametrize(("quota", "expected"), [(0.3, 1), (1.5, 2), (1e6, len(os.sched_getaffinity(0)))])
def test_processors_are_those_of_the_affinity_that_the_quota_allows(monkeypatch, quota, expected):
    monkeypatch.setattr("hmgpu.core.threads.quotas", lambda: [quota])
    assert processors() == min(expected, len(os.sched_getaffinity(0)))


def test_what_the_environment_says_of_a_pool_stays_unless_a_number_is_asked_for(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert use_threads() == processors()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["OMP_WAIT_POLICY"] == "active"
    assert use_threads(3) == threads() == 3
    assert {os.environ[name] for name in POOLS} == {"3"}
    assert use_threads() == 3  # what was chosen, also in a process that is started from here
    use_threads(processors())


def test_all_pools_of_a_process_have_the_number(tmp_path):
    code = (
        "from hmgpu.core.threads import use_threads; import torch; use_threads(1);"
        "import polars, threadpoolctl, xgboost; print(polars.thread_pool_size(), torch.get_num_threads(),"
        " {pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "1 1 {1}"
