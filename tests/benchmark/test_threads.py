"""What pools take of a shared machine: shares by hand, and a measurement next to a process that is busy for real."""

import pytest

from hmgpu.benchmark import threads
from hmgpu.benchmark.pools import PIECES
from hmgpu.benchmark.threads import Spent, _figures, benchmark_threads
from hmgpu.core.threads import processors


def test_a_piece_that_gets_its_share_takes_once_its_fair_time(monkeypatch):
    monkeypatch.setattr(threads, "processors", lambda: 2)
    # Alone it keeps both busy; next to one busy process its share of two processors is 4/3, so 1.5 times as long.
    found = {"alone": Spent(2, 2, 2), "next to 1 busy": Spent(3, 1.3, 2), "quota of 1": Spent(8, 1, 1)}
    ways = _figures("work", found)["ways"]
    assert {way: each["times_its_fair_share"] for way, each in ways.items()} == {
        "alone": 1,
        "next to 1 busy": 1,
        "quota of 1": 2,
    }
    # What keeps one of two processors busy loses nothing to one other process.
    ways = _figures("work", {"alone": Spent(2, 1, 1), "next to 1 busy": Spent(2, 1, 1)})["ways"]
    assert ways["next to 1 busy"]["times_its_fair_share"] == 1


def test_a_measurement(monkeypatch):
    monkeypatch.setitem(PIECES, "sum", lambda: lambda: sum(range(100_000)))
    monkeypatch.setattr(threads, "alone", lambda work, *given: work(*given[:2]))  # joins no cgroup
    monkeypatch.setattr(threads, "BUSY", (0, 1))
    result = benchmark_threads(repeats=3, pieces=["sum"])
    (piece,) = result.as_json("hmgpu benchmark threads")["pieces"]
    assert piece["ways"]["alone"]["processors_used"] == pytest.approx(1, abs=0.5)
    assert {"alone", "next to 1 busy"} <= set(piece["ways"])
    assert all(each["threads"] == processors() for each in piece["ways"].values())
    assert result.table().row_count == len(piece["ways"]) + len(result.absent)
