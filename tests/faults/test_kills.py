"""kill -9, at every boundary and at any time: what is served stays, the next retrain ends as if nothing had been."""

import os
import random
import shutil
import signal
from pathlib import Path

from faults import acts
from faults.kit import unharmed

KILLED = -signal.SIGKILL
AT_RANDOM = 12


def test_killed_at_every_boundary_it_goes_on_to_the_same_bytes(story, place, forker, tmp_path, count):
    # An old run that the retrain is going to remove, so that it is killed in that too.
    old = place.runs / "2001-01-02-00000000"
    shutil.copytree(place.current, old, symlinks=True)
    (old / "manifest.json").write_text('{"last_day": "2001-01-02"}')
    seen, attempts = tmp_path / "seen", 0
    while True:
        ended = forker.run(acts.killed_at_the_next_boundary, place.retrain(1), str(place.folder), seen)
        unharmed(ended)
        if ended.code == 0:
            break
        assert ended.code == KILLED, ended.said
        attempts += 1
        boundaries = seen.read_text().splitlines()
        assert len(boundaries) == attempts
        swapped = any(boundary.startswith("replace /runs/current") for boundary in boundaries[:-1])
        assert place.check(story.before, story.after) == (story.after if swapped else story.before), boundaries[-1]
    count("kills", attempts)
    assert place.check(story.after) == story.after
    recorded = "\n".join(boundaries)
    for what in ("/data/manifest.json", "/steps/fit", "/seal.json", "/runs/current", "/promoted.json", "pruned"):
        assert what in recorded, f"was never killed before {what} changed: {recorded}"
    assert attempts >= 50
    assert not old.exists()
    assert not [*place.runs.rglob(".unfinished-*")]


def test_killed_at_random_times_it_goes_on_to_the_same_bytes(story, forker, tmp_path, count):
    draw, kills = random.Random(9), 0
    while kills < AT_RANDOM:
        place = story.place.copy(tmp_path / f"place-{kills}")
        while True:
            child = forker.start(acts.hmgpu, place.retrain(1))
            # Mostly early on, where what was started is not finished yet.
            if child.worked(story.seconds * draw.random() ** 1.5):
                child.send(signal.SIGKILL)
            ended = child.wait()
            unharmed(ended)
            place.check(story.before, story.after)
            if ended.code == 0:
                break
            assert ended.code == KILLED, ended.said
            kills += 1
        assert place.check(story.after)
        shutil.rmtree(place.folder)
    count("kills", kills)


def test_killed_between_training_and_promotion_it_promotes_without_training_again(story, place, forker, count):
    ended = forker.run(acts.killed_before, place.retrain(1), "hmgpu.retrain.weekly:promote")
    assert ended.code == KILLED, ended.said
    place.check(story.before)
    made = _times(place.runs / story.after.run / "steps")
    assert "fit/model.ubj" in made
    again = forker.run(acts.hmgpu, place.retrain(1))
    assert again.code == 0, again.said
    place.check(story.after)
    assert _times(place.runs / story.after.run / "steps") == made
    count("kills")


def test_killed_while_it_goes_back_to_the_run_before(story, forker, tmp_path, count):
    place = story.place.copy(tmp_path / "place")
    assert forker.run(acts.hmgpu, place.retrain(1)).code == 0
    kills = 0
    while True:
        rollback = ["rollback", "--runs", str(place.runs)]
        ended = forker.run(acts.killed_at_the_next_boundary, rollback, str(place.folder), tmp_path / "seen")
        if ended.code != KILLED:
            break
        kills += 1
        place.check(story.before, story.after)
    assert ended.code == 0 or "no earlier run" in ended.said
    assert kills >= 3
    place.check(story.before)
    count("kills", kills)


def _times(folder: Path) -> dict[str, int]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {os.path.relpath(path, folder): path.stat().st_mtime_ns for path in files}
