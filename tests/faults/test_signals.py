"""SIGTERM: the process ends within the grace time, removes unfinished work, and says so by its exit status."""

import itertools
import json
import random
import signal
import time

import pytest
from faults import acts
from faults.kit import unharmed

STOPPED = 128 + signal.SIGTERM
GRACE = 60  # seconds, on however busy a machine; what a scheduler usually waits is 30
AT_RANDOM = 5


def test_sigterm_at_random_times(story, forker, tmp_path, count):
    draw, stopped = random.Random(3), 0
    places = (tmp_path / f"place-{number}" for number in itertools.count())
    place = story.place.copy(next(places))
    while stopped < AT_RANDOM:
        child = forker.start(acts.hmgpu, place.retrain(1))
        # Not in its first moments, when Python itself would end without a word.
        if not child.worked(0.3 + story.seconds * draw.random() ** 2):
            assert child.wait().code == 0
            place = story.place.copy(next(places))
            continue
        child.send(signal.SIGTERM)
        asked = time.monotonic()
        ended = child.wait()
        assert time.monotonic() - asked < GRACE
        unharmed(ended)
        if ended.code == 0:  # it was as good as over
            place = story.place.copy(next(places))
            continue
        assert ended.code in (STOPPED, -signal.SIGTERM), ended.said
        stopped += 1
        place.check(story.before, story.after)
        if ended.code == STOPPED:
            assert not [*place.runs.rglob(".unfinished-*")]
            assert not (place.data / ".staging").exists()
    assert forker.run(acts.hmgpu, place.retrain(1)).code == 0
    assert place.check(story.after) == story.after
    count("other faults", stopped)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_was_stopped_is_written_down(story, place, forker, tmp_path, count, number):
    sign, go = tmp_path / "sign", tmp_path / "go"
    child = forker.start(acts.waiting_before, place.retrain(1), "hmgpu.retrain.weekly:judge", str(sign), str(go))
    while not sign.exists():
        assert not forker.has_ended(child.pid), child.wait().said
        time.sleep(0.01)
    child.send(number)
    ended = child.wait()
    unharmed(ended)
    assert ended.code == 128 + number
    assert "the same command goes on from there" in ended.said
    record = json.loads(sorted((place.runs / "retrains").glob("*.json"))[-1].read_text())
    assert record["outcome"] == "failed"
    assert record["reason"] == f"stopped from outside (exit status {128 + number})"
    place.check(story.before)
    again = forker.run(acts.hmgpu, place.retrain(1))
    assert again.code == 0, again.said
    assert place.check(story.after) == story.after
    count("other faults")
