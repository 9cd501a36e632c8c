"""The service follows the current run: one run answers a request, never a mix or half of one."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from small_run import listed
from small_world import customer_id

from hmgpu.app.service.routes import service
from hmgpu.app.service.served import Current
from hmgpu.core.errors import RunError
from hmgpu.runs.publish import promote, rollback

ONE, TWO = "2020-09-22-abcdef01", "2020-09-29-abcdef02"
SHIFTS = {ONE: 0, TWO: 5}


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_promotion_and_a_rollback_are_followed(client, make_run):
    assert client.get("/health").json()["run"] == ONE
    promote(two := make_run(TWO, SHIFTS[TWO]))
    wait_for(lambda: client.get("/health").json()["run"] == TWO)
    assert client.get(f"/recommendations/{customer_id(2)}").json()["articles"] == listed(2, SHIFTS[TWO])
    rollback(two.parent)
    wait_for(lambda: client.get("/health").json()["run"] == ONE)


def test_a_run_that_cant_be_loaded_is_not_served(current, make_run, monkeypatch):
    two = make_run(TWO, SHIFTS[TWO])
    promote(two)
    file = two / "steps" / "submit" / "recommendations.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert not current.look()
    assert current.served.name == ONE
    assert "recommendations.parquet is not the file that the run wrote" in current.problem
    file.write_bytes(whole)
    assert not current.look()  # not tried again at once
    monkeypatch.setattr(current, "_failed", (two, 0.0))
    assert current.look()
    assert (current.served.name, current.problem) == (TWO, None)


def test_health_says_that_it_is_stale(current, make_run):
    with TestClient(service(current)) as client:
        two = make_run(TWO)
        (two / "steps" / "submit" / "articles.parquet").unlink()
        promote_anyway(two)
        wait_for(lambda: client.get("/health").json()["status"] == "stale")
        found = client.get("/health").json()
        assert found["run"] == ONE
        assert "articles.parquet can't be read" in found["problem"]
        assert 'outcome="failed"' in client.get("/metrics").text


def promote_anyway(run) -> None:
    link = run.parent / "current"
    link.unlink()
    link.symlink_to(run.name)


def test_without_a_run_nothing_is_served(tmp_path):
    with pytest.raises(RunError, match="There is no run"):
        Current(tmp_path / "current")


def test_under_load_no_answer_errs_or_mixes_two_runs(client, make_run):
    runs = [make_run(TWO, SHIFTS[TWO]), client.app.app and make_run(ONE, SHIFTS[ONE])]
    asked, end, seen = [customer_id(each) for each in range(40)], threading.Event(), set[str]()

    def ask() -> int:
        answers = 0
        while not end.is_set():
            found = client.post("/recommendations", json={"customers": asked})
            assert found.status_code == 200
            content = found.json()
            shift = SHIFTS[content["run"]]
            for customer, each in enumerate(content["recommendations"]):
                assert each["run"] == content["run"]
                assert each["articles"] == listed(customer, shift)
            seen.add(content["run"])
            answers += 1
        return answers

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        for turn in range(8):
            promote(runs[turn % 2])
            wait_for(lambda turn=turn: client.get("/health").json()["run"] == runs[turn % 2].name)
        end.set()
        assert sum(each.result() for each in asking) > 8
    assert seen == {ONE, TWO}
