"""A flipped bit or a missing end in any file of a run or a data set: noticed, named, and never used."""

import json
import shutil
from pathlib import Path

import pytest
from faults import acts
from faults.kit import Served, files_of, flip, tree, unharmed

from hmgpu.core.errors import DataError, HmgpuError, RunError
from hmgpu.data.manifest import Manifest
from hmgpu.retrain.record import records
from hmgpu.runs.inventory import inventory
from hmgpu.runs.log_of_runs import runs_table
from hmgpu.runs.publish import PROMOTED, promote, promoted, rollback
from hmgpu.runs.seal import is_whole, verify


def test_a_flipped_bit_in_any_file_of_a_run_is_noticed_and_named(place, count):
    files = [*files_of(place.current)]
    assert len(files) > 50
    for file in files:
        good = file.read_bytes()
        if not good:
            continue
        flip(file)
        with pytest.raises(RunError, match=str(file.relative_to(place.current))):
            verify(place.current)
        with pytest.raises(RunError):
            promote(place.current)
        file.write_bytes(good)
    verify(place.current)
    count("corruptions", len(files))


def test_a_file_that_lost_its_end_or_is_gone_is_noticed_and_named(place, count):
    files = [*files_of(place.current)]
    for file in files:
        good = file.read_bytes()
        for harm in (lambda file, good=good: file.write_bytes(good[:-2]), lambda file: file.unlink()):
            if good:
                harm(file)
                with pytest.raises(RunError, match=f"{file.relative_to(place.current)}|is not finished"):
                    verify(place.current)
                file.write_bytes(good)
    verify(place.current)
    count("corruptions", 2 * len(files))


def test_a_flipped_bit_in_any_file_of_the_data_set_is_noticed_and_named(place, count):
    manifest = Manifest.read(place.data)
    for name in manifest.files:
        good = (place.data / name).read_bytes()
        flip(place.data / name)
        with pytest.raises(DataError, match=name):
            manifest.verify(place.data)
        (place.data / name).write_bytes(good)
    manifest.verify(place.data)
    count("corruptions", len(manifest.files))


def test_no_flipped_bit_in_the_notes_beside_the_runs_ends_in_a_traceback(place, count):
    """Whatever byte it hits: what is read is right or refused in a sentence, and `hmgpu runs` goes on."""
    (record,) = (place.runs / "retrains").glob("*.json")
    now = place.current.name
    for file in (place.runs / PROMOTED, record, place.current / "manifest.json", place.current / "metrics.json"):
        good = file.read_bytes()
        for at in range(0, len(good), max(1, len(good) // 150)):
            flip(file, at)
            assert file.name in _refusal_of(place.runs, default=file.name)
            count("corruptions")
        file.write_bytes(good)
    assert [entry["run"] for entry in promoted(place.runs)] == [now]


@pytest.mark.parametrize("notes", ["[1]", '[{"run": "../../elsewhere", "at": ""}]', '[{"run": 3, "at": ""}]', "["])
def test_a_list_of_promoted_runs_that_is_none_is_refused(place, notes, count):
    (place.runs / PROMOTED).write_text(notes)
    with pytest.raises(RunError, match=r"promoted\.json is damaged"):
        promoted(place.runs)
    with pytest.raises(RunError):
        rollback(place.runs)
    count("refused inputs")


def test_a_damaged_current_run_is_never_used_and_the_next_retrain_replaces_it(story, place, forker, count):
    """A bit in every step's table at once: none may be copied into the new run."""
    tables = [*(place.current / "steps").rglob("table.parquet")]
    for table in tables:
        flip(table)
    ended = forker.run(acts.hmgpu, place.retrain(1))
    unharmed(ended)
    assert ended.code == 0, ended.said
    assert place.check(story.after) == story.after
    assert "the current run can't be compared with" in ended.said
    assert records(place.runs)[-1].before is None
    # And nobody goes back to it.
    gone_back = forker.run(acts.hmgpu, ["rollback", "--runs", str(place.runs)])
    assert gone_back.code == 1
    unharmed(gone_back)
    assert place.check(story.after)
    count("corruptions", len(tables))


def test_damaged_steps_of_a_run_that_was_killed_are_made_again(story, place, forker, count):
    ended = forker.run(acts.killed_before, place.retrain(1), "hmgpu.retrain.weekly:promote")
    assert ended.code < 0
    made = [path for path in (place.runs / story.after.run / "steps").rglob("*") if path.is_file()]
    for number, file in enumerate(made):
        if number % 2:
            flip(file)
        else:
            file.write_bytes(file.read_bytes()[:-1])
    ended = forker.run(acts.hmgpu, place.retrain(1))
    unharmed(ended)
    assert ended.code == 0, ended.said
    assert place.check(story.after) == story.after
    count("corruptions", len(made))
    count("kills")


def test_a_damaged_data_set_is_refused_and_nothing_changes(story, place, forker, count):
    name = next(name for name in Manifest.read(place.data).files if name.startswith("transactions/"))
    good = (place.data / name).read_bytes()
    flip(place.data / name)
    harmed = tree(place.data)
    for week in (1, None):
        ended = forker.run(acts.hmgpu, place.retrain(week))
        unharmed(ended)
        assert ended.code in (1, 4), ended.said
        assert name in ended.said.replace("\n", "")
        assert tree(place.data) == harmed
        assert Served.of(place) == story.before
    (place.data / name).write_bytes(good)
    ended = forker.run(acts.hmgpu, place.retrain(1))
    assert ended.code == 0, ended.said
    assert place.check(story.after)
    count("corruptions")
    count("refused inputs", 2)


def test_going_back_passes_over_a_damaged_run(story, place, forker, count):
    """Three runs were current; the middle one was harmed since."""
    assert forker.run(acts.hmgpu, place.retrain(1)).code == 0
    stack = json.loads((place.runs / PROMOTED).read_text())
    middle = place.runs / "2019-01-01-00000000"
    shutil.copytree(place.current, middle, symlinks=True)
    flip(middle / "config.yaml")
    stack.insert(1, {"run": middle.name, "at": ""})
    (place.runs / PROMOTED).write_text(json.dumps(stack))
    assert not is_whole(middle)
    assert forker.run(acts.hmgpu, ["rollback", "--runs", str(place.runs)]).code == 0
    assert place.check(story.before)
    count("corruptions")


def _refusal_of(runs: Path, default: str) -> str:
    """Return what is said about the records in `runs`; the default where they can be read."""
    try:
        promoted(runs)
        records(runs)
        runs_table(inventory(runs))
    except HmgpuError as error:
        return str(error)
    return default
