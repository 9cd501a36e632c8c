"""Several processes at once: one works, the others say which one, and nothing gets mixed up."""

import time

import pytest
from faults import acts
from faults.kit import unharmed


@pytest.fixture
def halfway(place, forker, tmp_path):
    """A retrain that has trained and waits before it promotes; and what lets it go on."""
    sign, go = tmp_path / "sign", tmp_path / "go"
    child = forker.start(acts.waiting_before, place.retrain(1), "hmgpu.retrain.weekly:promote", str(sign), str(go))
    while not sign.exists() and not forker.has_ended(child.pid):
        time.sleep(0.01)
    assert sign.exists(), child.wait().said
    yield child, go
    go.touch()


def test_a_second_retrain_learns_who_is_running_and_changes_nothing(story, place, forker, halfway, count):
    first, go = halfway
    for command in (place.retrain(1), place.retrain(2), ["rollback", "--runs", str(place.runs)]):
        ended = forker.run(acts.hmgpu, command)
        unharmed(ended)
        assert ended.code == 5, ended.said
        assert f"Process {first.pid} on" in ended.said
        place.check(story.before)
    go.touch()
    ended = first.wait()
    assert ended.code == 0, ended.said
    assert place.check(story.after) == story.after
    assert place.outcomes() == ["promoted", "promoted"]
    count("other faults", 3)


def test_a_run_by_hand_of_what_is_being_retrained_is_refused(story, place, forker, tmp_path, count):
    sign, go = tmp_path / "sign", tmp_path / "go"
    first = forker.start(acts.waiting_before, place.retrain(1), "hmgpu.pipeline.pipeline:seal", str(sign), str(go))
    while not sign.exists() and not forker.has_ended(first.pid):
        time.sleep(0.01)
    ended = forker.run(acts.hmgpu, place.command("train"))
    unharmed(ended)
    assert ended.code == 5
    assert "Another process works on" in ended.said
    place.check(story.before)
    go.touch()
    assert first.wait().code == 0
    assert place.check(story.after) == story.after
    count("other faults")


def test_two_started_in_one_moment(story, place, forker, count):
    """Whoever comes first; the other may also come after it, and then there is nothing new."""
    children = [forker.start(acts.hmgpu, place.retrain(1)) for _ in range(2)]
    ended = [child.wait() for child in children]
    for each in ended:
        unharmed(each)
    assert sorted(each.code for each in ended) in ([0, 5], [0, 0]), [each.said for each in ended]
    assert place.check(story.after) == story.after
    assert place.outcomes()[:2] == ["promoted", "promoted"]
    count("other faults")


def test_an_ingest_at_work_is_waited_for_and_no_refusal_of_the_week(story, place, forker, tmp_path, count):
    sign, go = tmp_path / "sign", tmp_path / "go"
    append = ["ingest", "--append", str(place.week(1)), "--data", str(place.data)]
    first = forker.start(acts.waiting_before, append, "hmgpu.data.ingest.build:publish", str(sign), str(go))
    while not sign.exists() and not forker.has_ended(first.pid):
        time.sleep(0.01)
    ended = forker.run(acts.hmgpu, place.retrain(1))
    unharmed(ended)
    assert ended.code == 5, ended.said
    assert "Another ingest is at work" in ended.said
    place.check(story.before)
    go.touch()
    assert first.wait().code == 0
    # The week is in the data set by now, so the retrain goes on with it.
    ended = forker.run(acts.hmgpu, place.retrain(1))
    assert ended.code == 0, ended.said
    place.check(story.after)
    count("other faults")
