"""A wall clock that jumps: no result depends on it, and nothing is ordered by it."""

import json

import pytest
from faults import acts
from faults.kit import unharmed

from hmgpu.runs.inventory import inventory
from hmgpu.runs.publish import promoted

JUMPS = {"back": [-10.0], "ahead": [60.0], "to and fro": [0.0, 30.0, -20.0], "before all time": [-70.0]}


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS.keys())
def test_a_clock_that_jumps_changes_no_byte(story, place, forker, count, jumps):
    ended = forker.run(acts.with_a_jumping_clock, place.retrain(1), jumps)
    unharmed(ended)
    assert ended.code == 0, ended.said
    assert place.check(story.after) == story.after
    found = [json.loads(file.read_text()) for file in (place.runs / "retrains").glob("*.json")]
    assert len(found) == 2
    assert all(0 <= record["seconds"] < 3600 for record in found)
    # The order of runs and of promotions is not that of the clock.
    assert [run.folder.name for run in inventory(place.runs)] == [story.before.run, story.after.run]
    assert [entry["run"] for entry in promoted(place.runs)] == [story.before.run, story.after.run]
    again = forker.run(acts.hmgpu, ["rollback", "--runs", str(place.runs)])
    assert again.code == 0, again.said
    place.check(story.before)
    count("other faults")
