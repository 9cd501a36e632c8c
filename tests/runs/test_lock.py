"""One process at a time changes which runs there are."""

import os
import subprocess
import sys
import time

import pytest

from hmgpu.core.errors import BusyError, RunError
from hmgpu.runs.lock import LOCK, exclusively

HOLD = "import sys, time, pathlib\nfrom hmgpu.runs.lock import exclusively\n"
HOLD += "with exclusively(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"


@pytest.fixture
def holder(tmp_path):
    """Another process that has the lock of `tmp_path`."""
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    yield other
    other.kill()
    other.wait()


def test_another_process_is_refused_and_learns_who_has_it(tmp_path, holder):
    with pytest.raises(BusyError, match=rf"Process {holder.pid} on .+ \(0 min\), is changing"), exclusively(tmp_path):
        pass
    assert holder.poll() is None


def test_the_lock_goes_with_its_process_however_it_ends(tmp_path, holder):
    holder.kill()
    holder.wait()
    with exclusively(tmp_path):
        pass


def test_it_can_be_had_again_and_again(tmp_path):
    for _ in range(3):
        with exclusively(tmp_path / "runs", create=True):
            assert str(os.getpid()) in (tmp_path / "runs" / LOCK).read_text()
        assert (tmp_path / "runs" / LOCK).read_text() == ""


def test_a_clock_that_was_put_back_makes_no_negative_age(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with pytest.raises(BusyError, match=r"\(0 min\)"), exclusively(tmp_path):
        pass


@pytest.mark.parametrize("left", ["", "{", "[]", '{"process": 1}', '{"process": 1, "machine": "m", "since": 1e300}'])
def test_an_owner_that_can_not_be_read_is_another_process(tmp_path, holder, left):
    (tmp_path / LOCK).write_text(left)
    with pytest.raises(BusyError, match="Another process is changing"), exclusively(tmp_path):
        pass


def test_a_place_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file can't be written"), exclusively(tmp_path / "file"):
        pass


def test_a_folder_that_is_not_there_is_not_created(tmp_path):
    with pytest.raises(RunError, match="There is no folder"), exclusively(tmp_path / "runs"):
        pass
    assert list(tmp_path.iterdir()) == []
