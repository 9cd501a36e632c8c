"""Which runs there are, and which may be removed."""

import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from hmgpu.core.engine import Engine
from hmgpu.core.files import UNFINISHED
from hmgpu.core.machine import versions
from hmgpu.runs.inventory import inventory, prune, reusable_runs, runs_table
from hmgpu.runs.publish import promote, rollback
from hmgpu.runs.run import code_digest
from hmgpu.runs.seal import seal

WEEKS = ["2020-08-04", "2020-08-11", "2020-08-18", "2020-08-25", "2020-09-01"]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Five finished runs, a week of data apart and started in the other order."""
    for number, day in enumerate(WEEKS):
        run = tmp_path / f"{day}-run"
        run.mkdir()
        (run / "manifest.json").write_text(json.dumps({"last_day": day}))
        (run / "metrics.json").write_text(json.dumps({"map_at_12": {"ranker": number / 100}}))
        seal(run)
        os.utime(run / "manifest.json", (1e9 - number, 1e9 - number))
    (tmp_path / "retrains").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def names(runs: Path) -> list[str]:
    return [run.folder.name[:10] for run in inventory(runs)]


def test_runs_come_in_the_order_of_their_data_and_nothing_else_is_one(runs):
    assert names(runs) == WEEKS
    assert names(runs / "retrains") == names(runs / "none") == []


def test_of_two_runs_on_the_same_data_the_one_started_later_is_newer(runs):
    (runs / "first").mkdir()
    (runs / "first" / "manifest.json").write_text(json.dumps({"last_day": WEEKS[0]}))
    os.utime(runs / "first" / "manifest.json", (1, 1))
    assert [run.folder.name for run in inventory(runs)][:2] == ["first", f"{WEEKS[0]}-run"]


def test_alike_are_runs_of_this_code_and_engine_with_these_libraries_newest_first(tmp_path):
    facts = {"engine": "cpu", "code": code_digest(), "versions": versions()}
    others = {"engine": "gpu", "code": "0", "versions": {**versions(), "torch": "0.1"}}
    runs = {"old": facts, "new": facts} | {key: {**facts, key: value} for key, value in others.items()} | {"bare": {}}
    for number, (name, manifest) in enumerate(runs.items()):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
        os.utime(tmp_path / name / "manifest.json", (number, number))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    assert [folder.name for folder in reusable_runs(tmp_path, Engine("cpu", "tests"))] == ["new", "old"]
    assert [folder.name for folder in reusable_runs(tmp_path, Engine("gpu", "tests"))] == ["engine"]
    assert reusable_runs(tmp_path / "none", Engine("cpu", "tests")) == []


def test_a_run_says_what_it_is(runs):
    promote(runs / f"{WEEKS[1]}-run")
    (runs / f"{WEEKS[2]}-run" / "seal.json").unlink()
    (runs / f"{WEEKS[3]}-run" / "metrics.json").write_text("{")
    found = inventory(runs)
    assert [run.current for run in found] == [False, True, False, False, False]
    assert [run.finished for run in found] == [True, True, False, True, True]
    assert [run.score for run in found] == [0.0, 0.01, 0.02, None, 0.04]
    assert [bool(run.promoted) for run in found] == [False, True, False, False, False]
    assert found[0].bytes == sum(file.stat().st_size for file in found[0].folder.iterdir())


def test_a_table_of_them(runs):
    promote(runs / f"{WEEKS[1]}-run")
    (runs / f"{WEEKS[2]}-run" / "seal.json").unlink()
    console = Console(width=140)
    with console.capture() as shown:
        console.print(runs_table(inventory(runs)))
    lines = [line for line in shown.get().splitlines() if "2020-" in line]
    assert [("→" in line, "unfinished" in line) for line in lines[:3]] == [(False, False), (True, False), (False, True)]
    assert "0.01000" in lines[1]


@pytest.mark.parametrize(("keep", "left"), [(1, 1), (2, 2), (4, 4), (5, 5), (9, 5)])
def test_the_newest_stay(runs, keep, left):
    removed = prune(runs, keep)
    assert names(runs) == WEEKS[-left:]
    assert [folder.name[:10] for folder in removed] == WEEKS[:-left]
    assert (runs / "notes.txt").read_text() == "mine"
    assert (runs / "retrains").is_dir()


def test_the_current_run_and_the_one_to_go_back_to_stay_however_old(runs):
    for week in WEEKS[:3]:
        promote(runs / f"{week}-run")
    prune(runs, 1)
    assert names(runs) == [WEEKS[1], WEEKS[2], WEEKS[4]]
    assert rollback(runs).readlink() == Path(f"{WEEKS[1]}-run")


def test_after_going_back_the_one_before_that_stays(runs):
    for week in WEEKS[:3]:
        promote(runs / f"{week}-run")
    rollback(runs)
    prune(runs, 1)
    assert names(runs) == [WEEKS[0], WEEKS[1], WEEKS[4]]


def test_killed_while_a_run_is_removed_the_rest_goes_next_time(runs, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            prune(runs, 4)
    assert names(runs) == WEEKS[1:]
    assert [path.name for path in runs.glob(f"{UNFINISHED}*")] == [f"{UNFINISHED}pruned-{WEEKS[0]}-run"]
    assert prune(runs, 4) == []
    assert not list(runs.glob(f"{UNFINISHED}*"))
