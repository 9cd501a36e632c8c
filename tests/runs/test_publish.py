"""Which run is current."""

import os
from pathlib import Path

import pytest

from hmgpu.errors import RunError
from hmgpu.runs.publish import promote


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two finished runs and one without a submission."""
    for name in ("one", "two"):
        (tmp_path / "runs" / name / "steps").mkdir(parents=True)
        (tmp_path / "runs" / name / "steps" / "made.csv").write_text(name)
        (tmp_path / "runs" / name / "submission.csv").symlink_to("steps/made.csv")
    (tmp_path / "runs" / "unfinished").mkdir()
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
    assert {path.name for path in runs.iterdir()} == {"one", "two", "unfinished", "current"}


def test_a_run_without_a_submission_is_refused_and_nothing_changes(runs):
    promote(runs / "one")
    with pytest.raises(RunError, match=r"has no submission\.csv"):
        promote(runs / "unfinished")
    assert os.readlink(runs / "current") == "one"


def test_a_submission_whose_step_is_gone_is_none(runs):
    (runs / "two" / "steps" / "made.csv").unlink()
    with pytest.raises(RunError, match=r"has no submission\.csv"):
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
        seen.append((os.readlink(source), os.readlink(target)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    promote(runs / "two")
    # Until the very move the old link stands.
    assert seen == [("two", "one")]


def test_the_current_run_promoted_by_its_link_stays_what_it_is(runs):
    promote(runs / "one")
    promote(runs / "current")
    assert (runs / "current" / "submission.csv").read_text() == "one"
