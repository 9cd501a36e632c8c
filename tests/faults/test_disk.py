"""A full disk, and folders that can't be written: an error in a sentence, what is served unharmed, and on it goes."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults import acts
from faults.kit import Place, Served, Story, tree, unharmed

PAGE = 4096
SMALLEST, LARGEST = 8 * PAGE, 2 << 20  # how much room is added when nothing more was done with what there was


def _mount(*arguments: object) -> bool:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    return done.returncode == 0


@contextmanager
def _disk(folder: Path, options: str) -> Iterator[None]:
    """A file system of its own at `folder`."""
    folder.mkdir(exist_ok=True)
    if not _mount("-t", "tmpfs", "-o", options, "none", folder):
        pytest.skip("this machine lets us mount nothing, so there is no disk to fill")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def disk(story: Story, tmp_path: Path) -> Iterator[tuple[Place, Callable[[int], None]]]:
    """A copy of the place on a disk of its own, and what leaves just so many bytes free on it."""
    with _disk(tmp_path / "disk", "size=256m"):
        place = story.place.copy(tmp_path / "disk" / "place")

        def leave(room: int) -> None:
            state = os.statvfs(place.folder)
            used = (state.f_blocks - state.f_bfree) * state.f_frsize
            assert _mount("-o", f"remount,size={used + room}", place.folder.parent)

        yield place, leave


def test_a_disk_that_fills_up_anywhere_stops_the_retrain_and_harms_nothing(story, disk, forker, count):
    """Each time there is a little more room: it ends a little later, until there is enough."""
    place, leave = disk
    data = [(place.data / "manifest.json").read_bytes()]
    room, full, seen = SMALLEST, 0, set()
    while True:
        leave(room)
        ended = forker.run(acts.hmgpu, place.retrain(1))
        unharmed(ended)
        if ended.code == 0:
            break
        assert ended.code == 1, ended.said
        assert "is full: make room" in ended.said or "No space left on device" in ended.said, ended.said
        full += 1
        place.check(story.before)
        now = (place.data / "manifest.json").read_bytes()
        data += [now] if now not in data else []
        steps = len([*(place.runs / story.after.run / "steps").rglob("manifest.json")])
        room = SMALLEST if (len(data), steps) not in seen else room * 2
        seen.add((len(data), steps))
        assert room <= LARGEST, ended.said
    assert place.check(story.after) == story.after
    assert len(data) == 2, "the data set is as before or has the week, and nothing in between"
    assert full >= 5
    count("other faults", full)


def test_going_back_needs_no_room(story, disk, forker, count):
    place, leave = disk
    assert forker.run(acts.hmgpu, place.retrain(1)).code == 0
    leave(0)
    ended = forker.run(acts.hmgpu, ["rollback", "--runs", str(place.runs)])
    unharmed(ended)
    assert ended.code == 0, ended.said
    assert place.check(story.before) == story.before
    count("other faults")


def test_a_full_disk_for_another_week_is_no_refusal_of_the_week(disk, forker, count):
    place, leave = disk
    leave(PAGE)
    ended = forker.run(acts.hmgpu, ["ingest", "--append", str(place.week(1)), "--data", str(place.data)])
    unharmed(ended)
    assert ended.code == 1
    assert "break the contract" not in ended.said
    count("other faults")


@pytest.mark.parametrize("what", ["runs", "data"])
def test_a_folder_that_cannot_be_written_is_one_sentence(story, place, forker, count, what):
    folder = place.folder / what
    with _read_only(folder):
        before = tree(folder)
        for command in (place.retrain(1), place.retrain()):
            ended = forker.run(acts.hmgpu, command)
            unharmed(ended)
            if what == "data" and "--append" not in command:
                continue  # nothing is to be written into it
            assert ended.code == 1, ended.said
            assert str(folder) in ended.said.replace("\n", "")
        assert Served.of(place) == story.before
        assert tree(folder) == before
    ended = forker.run(acts.hmgpu, place.retrain(1))
    assert ended.code == 0, ended.said
    assert place.check(story.after)
    count("other faults", 2)


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Nobody can write into `folder`: not even root, which modes do not bind."""
    if os.geteuid():
        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*")) if not path.is_symlink()}
        for path in modes:
            path.chmod(modes[path] & ~0o222)
        try:
            yield
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        return
    if not (_mount("--bind", folder, folder) and _mount("-o", "remount,bind,ro", folder)):
        pytest.skip("this machine lets us mount nothing, so nothing is read-only to root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
