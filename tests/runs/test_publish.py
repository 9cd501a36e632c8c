"""Which run is current."""

import os
import shutil
from pathlib import Path

import pytest

from hmgpu.core.errors import DiskError, RunError
from hmgpu.runs.publish import PROMOTED, current, promote, promoted, rollback
from hmgpu.runs.seal import seal


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three finished runs and one that is not."""
    for name in ("one", "two", "three", "unfinished"):
        run = tmp_path / "runs" / name
        (run / "steps").mkdir(parents=True)
        (run / "steps" / "made.csv").write_text(name)
        (run / "submission.csv").symlink_to("steps/made.csv")
        if name != "unfinished":
            seal(run)
    return tmp_path / "runs"


def test_the_current_run_is_a_link_beside_the_runs(runs):
    link = promote(runs / "one")
    assert link == runs / "current"
    assert (link / "submission.csv").read_text() == "one"
    # Relative, so that the folder of runs may be moved or mounted elsewhere.
    assert os.readlink(link) == "one"


def test_a_later_run_takes_its_place_and_an_older_one_again(runs):
    for name in ("one", "two", "one", "one"):
        promote(runs / name)
        assert (runs / "current" / "submission.csv").read_text() == name
    left = {path.name for path in runs.iterdir()}
    assert left == {"one", "two", "three", "unfinished", "current", PROMOTED}


def test_an_unfinished_run_is_refused_and_nothing_changes(runs):
    promote(runs / "one")
    with pytest.raises(RunError, match="unfinished is not finished"):
        promote(runs / "unfinished")
    assert os.readlink(runs / "current") == "one"
    assert [entry["run"] for entry in promoted(runs)] == ["one"]


def test_a_run_that_has_lost_a_file_is_refused(runs):
    (runs / "two" / "steps" / "made.csv").unlink()
    with pytest.raises(RunError, match=r"made\.csv can't be read"):
        promote(runs / "two")


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_link_is_not_overwritten(runs, kind):
    if kind == "folder":
        (runs / "current").mkdir()
        (runs / "current" / "mine.txt").write_text("mine")
    else:
        (runs / "current").write_text("mine")
    with pytest.raises(RunError, match="not the link to the current run; move it away"):
        promote(runs / "one")
    assert not (runs / "current").is_symlink()
    assert (runs / "current").exists()


def test_a_link_to_a_run_that_is_gone_is_replaced(runs):
    (runs / "current").symlink_to("deleted")
    promote(runs / "one")
    assert (runs / "current" / "submission.csv").read_text() == "one"


def test_the_swap_is_one_move(runs, monkeypatch):
    promote(runs / "one")
    seen = []
    replace = os.replace

    def watched(source: Path, target: Path) -> None:
        if Path(target).name == "current":
            seen.append((os.readlink(source), os.readlink(target)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    promote(runs / "two")
    # Until the very move the old link stands.
    assert seen[0] == ("two", "one")


def test_the_current_run_promoted_by_its_link_stays_what_it_is(runs):
    promote(runs / "one")
    promote(runs / "current")
    assert (runs / "current" / "submission.csv").read_text() == "one"


def test_back_to_the_run_before_and_the_one_before_that(runs):
    for name in ("one", "two", "three"):
        promote(runs / name)
    assert current(runs) == (runs / "three").resolve()
    for name in ("two", "one"):
        assert rollback(runs).readlink() == Path(name)
    with pytest.raises(RunError, match="no earlier run"):
        rollback(runs)
    assert current(runs) == (runs / "one").resolve()
    # A run that was rolled back from may come back by hand.
    promote(runs / "three")
    assert [entry["run"] for entry in promoted(runs)] == ["one", "three"]


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_back_past_a_run_that_is_gone_or_damaged(runs, harm):
    for name in ("one", "two", "three"):
        promote(runs / name)
    made = runs / "two" / "steps" / "made.csv"
    made.unlink() if harm == "gone" else made.write_text("twO")
    assert rollback(runs).readlink() == Path("one")


def test_back_from_a_current_run_that_is_gone(runs):
    promote(runs / "one")
    promote(runs / "two")
    shutil.rmtree(runs / "two")
    with pytest.raises(RunError, match="leads to two, which is gone"):
        current(runs)
    assert rollback(runs).readlink() == Path("one")


def test_killed_between_the_swap_and_the_note_of_it_the_way_back_is_known(runs, monkeypatch):
    promote(runs / "one")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("hmgpu.runs.publish.write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(runs / "two")
    assert current(runs) == (runs / "two").resolve()
    assert rollback(runs).readlink() == Path("one")


def test_killed_while_it_goes_back_it_does_not_come_forward_again(runs, monkeypatch):
    for name in ("one", "two", "three"):
        promote(runs / name)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("hmgpu.runs.publish.write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            rollback(runs)
    assert current(runs) == (runs / "two").resolve()
    assert [entry["run"] for entry in promoted(runs)] == ["one", "two"]
    assert rollback(runs).readlink() == Path("one")


def test_what_was_promoted_and_killed_before_the_note_of_it_is_what_a_later_one_goes_back_to(runs, monkeypatch):
    promote(runs / "one")
    with monkeypatch.context() as patched:
        patched.setattr("hmgpu.runs.publish.write_json", lambda *_: None)
        promote(runs / "two")
    promote(runs / "three")
    assert rollback(runs).readlink() == Path("two")


def test_going_back_needs_no_room(runs, monkeypatch):
    promote(runs / "one")
    promote(runs / "two")

    def full(*_):
        raise DiskError("The disk is full")

    monkeypatch.setattr("hmgpu.runs.publish.write_json", full)
    assert rollback(runs).readlink() == Path("one")
    assert [entry["run"] for entry in promoted(runs)] == ["one"]


def test_a_damaged_note_is_named(runs):
    promote(runs / "one")
    (runs / PROMOTED).write_text("{")
    with pytest.raises(RunError, match=r"promoted\.json is damaged"):
        promote(runs / "two")
    assert os.readlink(runs / "current") == "one"


def test_without_runs_none_is_current(tmp_path):
    assert current(tmp_path / "none") is None
    with pytest.raises(RunError, match="no earlier run"):
        rollback(tmp_path)
