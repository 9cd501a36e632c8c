"""Which runs there are, and which may be removed."""

import datetime
import json
import os
from pathlib import Path

import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED
from hmgpu.core.machine import versions
from hmgpu.runs.inventory import inventory, kept, prune, reusable_runs
from hmgpu.runs.publish import promote, rollback
from hmgpu.runs.run import Run, code_digest
from hmgpu.runs.seal import seal

WEEKS = ["2020-08-04", "2020-08-11", "2020-08-18", "2020-08-25", "2020-09-01"]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Five finished runs, a week of data apart and started in the other order."""
    for number, day in enumerate(WEEKS):
        run = tmp_path / f"{day}-run"
        run.mkdir()
        (run / "manifest.json").write_text(json.dumps({"last_day": day}))
        (run / "metrics.json").write_text(json.dumps(figures(day, number / 100)))
        (run / "config.yaml").write_text("")
        seal(run)
        os.utime(run / "manifest.json", (1e9 - number, 1e9 - number))
    (tmp_path / "retrains").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def figures(week: str, score: float, k: int = 12) -> dict[str, object]:
    """A week's figures, as far as they are listed."""
    return {
        "week": week,
        f"map_at_{k}": {"ranker": score},
        f"map_at_{k}_interval": {"ranker": [score - 0.001, score + 0.002]},
    }


def names(runs: Path) -> list[str]:
    return [run.folder.name[:10] for run in inventory(runs)]


def test_runs_come_in_the_order_of_their_data_and_nothing_else_is_one(runs):
    assert names(runs) == WEEKS
    assert names(runs / "retrains") == []
    with pytest.raises(RunError, match="none does not exist"):
        names(runs / "none")


def test_a_data_set_next_to_runs_is_none_of_them(runs):
    (runs / "data" / "transactions").mkdir(parents=True)
    (runs / "data" / "manifest.json").write_text(json.dumps({"last_day": 1}))
    assert names(runs) == WEEKS
    prune(runs, 1)
    assert (runs / "data" / "manifest.json").is_file()


def test_of_two_runs_on_the_same_data_the_one_started_later_is_newer(runs):
    (runs / "first").mkdir()
    (runs / "first" / "manifest.json").write_text(json.dumps({"last_day": WEEKS[0]}))
    (runs / "first" / "config.yaml").write_text("")
    os.utime(runs / "first" / "manifest.json", (1, 1))
    assert [run.folder.name for run in inventory(runs)][:2] == ["first", f"{WEEKS[0]}-run"]


def test_alike_are_runs_of_this_code_and_engine_with_these_libraries_newest_first(tmp_path):
    facts = {"engine": "cpu", "code": code_digest(), "versions": versions()}
    others = {"engine": "gpu", "code": "0", "versions": {**versions(), "torch": "0.1"}}
    runs = {"old": facts, "new": facts} | {key: {**facts, key: value} for key, value in others.items()} | {"bare": {}}
    for number, (name, manifest) in enumerate(runs.items()):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
        (tmp_path / name / "config.yaml").write_text("")
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
    assert [run.state for run in found] == ["complete", "current", "evaluated", "complete", "complete"]
    assert [run.score for run in found] == [0.0, 0.01, 0.02, None, 0.04]
    assert [bool(run.promoted) for run in found] == [False, True, False, False, False]
    assert (found[4].interval, found[4].week) == ((0.039, 0.042), WEEKS[4])
    assert found[0].created == datetime.datetime.fromtimestamp(1e9, datetime.UTC)
    assert found[0].bytes == sum(file.stat().st_size for file in found[0].folder.iterdir())


def begun(runs: Path, name: str) -> Path:
    (runs / name).mkdir()
    (runs / name / "config.yaml").write_text("")
    (runs / name / "manifest.json").write_text(json.dumps({"last_day": "2020-09-08"}))
    return runs / name


def test_what_is_no_whole_run_says_what_it_is(runs):
    begun(runs, "begun")
    (begun(runs, "tuned") / "tuning-ranker-3-trials.json").write_text("{}")
    (begun(runs, "fitted") / "model").mkdir()
    later = begun(runs, "fold") / "steps" / "2020-09-02" / "evaluate"  # a week after its validation week
    later.mkdir(parents=True)
    (later / "metrics.json").write_text(json.dumps(figures("2020-09-02", 0.3)))
    found = {run.folder.name: run for run in inventory(runs)}
    states = {name: found[name].state for name in ("begun", "tuned", "fitted", "fold")}
    assert states == {"begun": "begun", "tuned": "tuned", "fitted": "fitted", "fold": "evaluated"}
    assert (found["fold"].week, found["fold"].score) == ("2020-09-02", 0.3)


def test_what_stays_says_why(runs):
    for week in (WEEKS[0], WEEKS[1]):
        promote(runs / f"{week}-run")
    found = inventory(runs)
    why = {folder.name[:10]: reason for folder, reason in kept(runs, found, 2).items()}
    newest = dict.fromkeys(WEEKS[-2:], "one of the newest 2")
    assert why == {WEEKS[0]: "the one to roll back to", WEEKS[1]: "the current one"} | newest
    assert kept(runs, found, 1)[found[4].folder] == "the newest one"
    assert {run.folder for run in found} - set(prune(runs, 2)) == set(kept(runs, found, 2))


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


def test_what_a_process_works_on_stays(runs):
    """However old its data are: a run may be in the middle of hours of work when another one ends."""
    with Run(runs / f"{WEEKS[1]}-run", Engine("cpu", "tests")).locked():
        assert kept(runs, inventory(runs), 1)[runs.resolve() / f"{WEEKS[1]}-run"] == "a process works on it"
        prune(runs, 1)
        assert names(runs) == [WEEKS[1], WEEKS[4]]
    prune(runs, 1)
    assert names(runs) == [WEEKS[4]]


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
