"""Steps that can be killed anywhere, are run once, and are run again when anything they depend on changes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hmgpu.core.copies import COPIED, TO_DEVICE, TO_HOST
from hmgpu.core.engine import Engine
from hmgpu.core.errors import BusyError
from hmgpu.runs import run as runs
from hmgpu.runs.run import MANIFEST, Run, code_digest, sha256, write_json, write_text


class Maker:
    """The `write` of a step: it writes two files and counts its calls."""

    def __init__(self, content: str = "made", rows: int = 3) -> None:
        self.content, self.rows, self.times = content, rows, 0

    def __call__(self, folder: Path) -> dict[str, int]:
        self.times += 1
        (folder / "table.txt").write_text(self.content)
        (folder / "deeper").mkdir()
        (folder / "deeper" / "more.txt").write_text("more")
        return {"rows": self.rows}


@pytest.fixture
def run(tmp_path: Path, engine: Engine) -> Run:
    return Run(tmp_path / "runs" / "one", engine)


def manifest_of(step) -> dict:
    return json.loads((step.folder / MANIFEST).read_text())


def everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_step_is_done_once(run):
    make = Maker()
    first = run.step("week/learn/popular", {"n": 3}, ["a"], make)
    again = run.step("week/learn/popular", {"n": 3}, ["a"], make)
    assert make.times == 1
    assert again == first
    assert first.folder == run.folder / "steps" / "week" / "learn" / "popular"
    assert (first.folder / "table.txt").read_text() == "made"


def test_another_run_object_over_the_same_folder_finds_it(run, engine):
    first = run.step("it", {}, [], Maker())
    unneeded = Maker()
    assert Run(run.folder, engine).step("it", {}, [], unneeded) == first
    assert unneeded.times == 0


def test_a_step_that_is_there_is_found_whatever_it_was_made_from_unless_it_was_changed(run):
    assert run.there("it") is None
    made = run.step("it", {"n": 3}, ["a"], Maker())
    assert run.there("it") == made
    (made.folder / "table.txt").write_text("another")
    assert run.there("it") is None


def test_what_its_base_made_from_the_same_things_is_taken_from_there(run, engine):
    make, other = Maker(), Maker("other")
    first = run.step("it", {"n": 3}, ["a"], make)
    there = everything_in(run.folder)
    above = Run(run.folder / "above", engine, base=Run(run.folder / "between", engine, base=run))
    assert above.step("it", {"n": 3}, ["a"], other) == first
    assert not above.folder.exists()
    own = above.step("it", {"n": 4}, ["a"], other)
    assert own.folder.is_relative_to(above.folder)
    assert own.digest != first.digest
    assert other.times == 1
    shutil.rmtree(above.folder)
    assert everything_in(run.folder) == there
    (first.folder / "table.txt").write_text("damaged")
    assert above.step("it", {"n": 3}, ["a"], make).folder.is_relative_to(above.folder)


def test_what_another_run_made_from_the_same_things_is_copied_and_stands_alone(run, engine, tmp_path):
    first, unneeded = run.step("it", {"n": 3}, ["a"], Maker()), Maker()
    empty = Run(tmp_path / "runs" / "empty", engine)
    own = Run(tmp_path / "runs" / "own", engine, others=(empty, run))
    copied = own.step("it", {"n": 3}, ["a"], unneeded)
    assert (copied.name, copied.digest) == (first.name, first.digest)
    assert unneeded.times == 0
    assert manifest_of(copied) == manifest_of(first)
    shutil.rmtree(run.folder)
    assert own.step("it", {"n": 3}, ["a"], unneeded) == copied
    assert unneeded.times == 0
    assert not empty.folder.exists()


@pytest.mark.parametrize("changed", ["settings", "inputs", "file", "gone"])
def test_what_another_run_made_otherwise_or_lost_is_made_here(run, engine, tmp_path, monkeypatch, changed):
    first = run.step("it", {"n": 3}, ["a"], Maker("there"))
    settings, inputs = {"n": 4} if changed == "settings" else {"n": 3}, ["b"] if changed == "inputs" else ["a"]
    if changed == "file":
        (first.folder / "table.txt").write_text("flipped")
    if changed == "gone":  # between the look and the copy

        def vanish(source, target):
            target.mkdir(parents=True)
            shutil.rmtree(run.folder)
            raise shutil.Error([(str(source), str(target), "no such file")])

        monkeypatch.setattr(runs.shutil, "copytree", vanish)
    own = Run(tmp_path / "runs" / "own", engine, others=(run,))
    made = own.step("it", settings, inputs, Maker("here"))
    assert (made.folder / "table.txt").read_text() == "here"
    assert {path.name for path in (own.folder / "steps").iterdir()} == {"it"}


def test_what_stands_above_a_base_changes_nothing_in_it(run, engine, tmp_path):
    """A step of the base stays, whatever another run could give to the one above for the step of that name."""
    other = Run(tmp_path / "runs" / "other", engine)
    other.step("it", {"n": 4}, [], Maker("other"))
    base = Run(run.folder, engine, others=(other,))
    kept = base.step("it", {"n": 3}, [], Maker("base"))
    above = Run(run.folder / "above", engine, base=base)
    own = above.step("it", {"n": 4}, [], Maker("above"))
    assert (own.folder / "table.txt").read_text() == "above"
    assert base.step("it", {"n": 3}, [], Maker("again")) == kept
    assert (kept.folder / "table.txt").read_text() == "base"


def test_the_manifest_lists_every_file_with_its_hash_and_what_it_was_made_from(run):
    step = run.step("it", {"n": 3, "windows": (1, 2)}, ["a", "b"], Maker())
    manifest = manifest_of(step)
    assert manifest["files"] == {name: sha256(step.folder / name) for name in ("deeper/more.txt", "table.txt")}
    assert manifest["settings"] == {"n": 3, "windows": [1, 2]}
    assert manifest["inputs"] == ["a", "b"]
    assert manifest["engine"] == "cpu"
    assert manifest["counts"] == {"rows": 3}


@pytest.mark.parametrize(
    ("settings", "inputs"),
    [
        ({"n": 4}, ["a"]),
        ({"n": 3, "days": 1}, ["a"]),
        ({}, ["a"]),
        ({"n": 3}, ["b"]),
        ({"n": 3}, []),
        ({"n": 3}, ["a", "a"]),
    ],
)
def test_other_settings_or_inputs_make_it_again(run, settings, inputs):
    first = run.step("it", {"n": 3}, ["a"], Maker("old"))
    make = Maker("new")
    second = run.step("it", settings, inputs, make)
    assert make.times == 1
    assert second.digest != first.digest
    assert (second.folder / "table.txt").read_text() == "new"


def test_another_engine_makes_it_again(run):
    run.step("it", {}, [], Maker())
    make = Maker()
    Run(run.folder, Engine("gpu", "for the test")).step("it", {}, [], make)
    assert make.times == 1


def test_bytes_copied_to_and_from_a_device_are_in_the_log(run, caplog):
    """Those of the step alone, and none where there is no device."""
    gpu = Engine("gpu", "for the test")
    COPIED[TO_DEVICE] += 5

    def make(folder):
        COPIED[TO_DEVICE] += 3

    caplog.set_level("INFO", "hmgpu")
    Run(run.folder, gpu).step("it", {}, [], make)
    run.step("other", {}, [], make)
    on_gpu, on_cpu = (record.fields for record in caplog.records if "seconds" in record.fields)
    assert (on_gpu[TO_DEVICE], on_gpu[TO_HOST]) == (3, 0)
    assert TO_DEVICE not in on_cpu


def test_other_code_makes_it_again(run, monkeypatch):
    run.step("it", {}, [], Maker())
    monkeypatch.setattr(runs, "code_digest", lambda: "another")
    make = Maker()
    run.step("it", {}, [], make)
    assert make.times == 1


def test_the_code_is_every_source_file_of_the_package(tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "parts").mkdir(parents=True)
    for file in ("__init__.py", "parts/one.py", "page.html", "notes.txt"):
        (package / file).write_text("x = 1\n")
    monkeypatch.setattr(runs, "PACKAGE", package)
    digest: Callable[[], str] = code_digest.__wrapped__
    first = digest()
    (package / "notes.txt").write_text("y = 2\n")
    assert digest() == first
    (package / "parts" / "one.py").write_text("x = 2\n")
    second = digest()
    (package / "parts" / "one.py").rename(package / "parts" / "two.py")
    third = digest()
    (package / "page.html").write_text("y = 1\n")  # a template decides what comes out too
    assert len({first, second, third, digest()}) == 4


def test_the_digest_names_the_content_and_nothing_else(run, engine, tmp_path):
    one = run.step("it", {"n": 3}, ["a"], Maker("same", rows=3))
    other = Run(tmp_path / "elsewhere", engine).step("that", {"n": 4}, ["b"], Maker("same", rows=9))
    assert one.digest == other.digest
    assert run.step("else", {"n": 3}, ["a"], Maker("other")).digest != one.digest


def test_what_follows_is_not_done_again_when_its_input_comes_out_the_same(run):
    last = Maker("last")
    for n in (3, 4):
        first = run.step("first", {"n": n}, [], Maker("same"))
        run.step("last", {}, [first.digest], last)
    assert last.times == 1


@pytest.mark.parametrize("name", ["table.txt", "deeper/more.txt"])
@pytest.mark.parametrize("harm", ["changed", "cut short", "deleted"])
def test_a_file_that_was_tampered_with_is_made_again(run, name, harm):
    step = run.step("it", {}, [], Maker("made"))
    victim, whole = step.folder / name, (step.folder / name).read_text()
    if harm == "deleted":
        victim.unlink()
    else:
        victim.write_text("evil" if harm == "changed" else whole[:-1])
    make = Maker("made")
    assert run.step("it", {}, [], make).digest == step.digest
    assert make.times == 1
    assert victim.read_text() == whole


def test_a_file_that_was_put_beside_a_steps_own_does_not_stay(run):
    # Whoever reads a step's folder reads only what its manifest lists.
    step = run.step("it", {}, [], Maker())
    (step.folder / "stray.txt").write_text("stray")
    again = run.step("it", {}, [], Maker())
    assert again.digest == step.digest
    assert everything_in(again.folder) == {"table.txt", "deeper/more.txt", MANIFEST}


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", "null", None])
def test_a_broken_or_missing_manifest_makes_it_again(run, content):
    step = run.step("it", {}, [], Maker())
    if content is None:
        (step.folder / MANIFEST).unlink()
    else:
        (step.folder / MANIFEST).write_text(content)
    make = Maker()
    run.step("it", {}, [], make)
    assert make.times == 1


def test_a_manifest_without_its_files_makes_it_again(run):
    step = run.step("it", {}, [], Maker())
    manifest = manifest_of(step)
    del manifest["files"]
    (step.folder / MANIFEST).write_text(json.dumps(manifest))
    make = Maker()
    run.step("it", {}, [], make)
    assert make.times == 1


def test_what_an_older_step_left_is_gone_when_it_is_made_again(run):
    def two(folder: Path) -> None:
        (folder / "a.txt").write_text("a")
        (folder / "b.txt").write_text("b")

    def one(folder: Path) -> None:
        (folder / "a.txt").write_text("a")

    run.step("it", {"files": 2}, [], two)
    step = run.step("it", {"files": 1}, [], one)
    assert everything_in(step.folder) == {"a.txt", MANIFEST}


def test_a_step_that_raises_leaves_nothing_that_counts(run):
    def fails(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run.step("it", {}, [], fails)
    assert not (run.folder / "steps" / "it").exists()
    make = Maker()
    step = run.step("it", {}, [], make)
    assert make.times == 1
    # Nothing of the unfinished one is in the step or next to it.
    assert everything_in(run.folder / "steps") == {"it/table.txt", "it/deeper/more.txt", f"it/{MANIFEST}"}
    assert set(manifest_of(step)["files"]) == {"table.txt", "deeper/more.txt"}


def test_an_older_step_survives_a_newer_one_that_fails(run):
    def fails(folder: Path) -> None:
        raise ValueError("no")

    old = run.step("it", {"n": 1}, [], Maker("old"))
    with pytest.raises(ValueError, match="no"):
        run.step("it", {"n": 2}, [], fails)
    unneeded = Maker()
    assert run.step("it", {"n": 1}, [], unneeded) == old
    assert unneeded.times == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from hmgpu.core.copies import COPIED, TO_DEVICE, TO_HOST
from hmgpu.core.engine import Engine
from hmgpu.runs.run import Run

def make(folder):
    (folder / "table.txt").write_text("made")
    (folder / "half.txt").write_text("half")
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)

run = Run(Path(sys.argv[1]), Engine("cpu", "tests"))
with run.locked():
    run.step("before", {}, [], lambda folder: (folder / "x").write_text("x") and None)
    run.step("it", {"n": 1}, [], make)
"""


def test_a_process_that_is_killed_in_a_step_leaves_nothing_that_counts(run):
    killed = subprocess.run([sys.executable, "-c", KILLED, run.folder, "kill"], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (run.folder / "steps" / "it").exists()
    # The lock ended with the process; the step before is there, and this one starts from nothing.
    unneeded, make = Maker(), Maker("made")
    with run.locked():
        run.step("before", {}, [], unneeded)
        run.step("it", {"n": 1}, [], make)
    assert (unneeded.times, make.times) == (0, 1)
    assert everything_in(run.folder / "steps" / "it") == {"table.txt", "deeper/more.txt", MANIFEST}
    assert [path.name for path in (run.folder / "steps").iterdir() if path.name.startswith(".")] == []


def test_killed_between_removal_and_renaming_it_is_made_again(run, monkeypatch):
    """The one moment without either: the old step is removed and the new one not yet in its place."""
    run.step("it", {"n": 1}, [], Maker("old"))

    def dies(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", dies)
        with pytest.raises(KeyboardInterrupt):
            run.step("it", {"n": 2}, [], Maker("new"))
    make = Maker("new")
    step = run.step("it", {"n": 2}, [], make)
    assert make.times == 1
    assert (step.folder / "table.txt").read_text() == "new"


def test_one_process_at_a_time(run):
    with run.locked(), pytest.raises(BusyError, match=r"Another process works on .*one"), run.locked():
        pass
    with run.locked():
        pass


HOLDS = """
import sys
from pathlib import Path
from hmgpu.core.copies import COPIED, TO_DEVICE, TO_HOST
from hmgpu.core.engine import Engine
from hmgpu.runs.run import Run
with Run(Path(sys.argv[1]), Engine("cpu", "tests")).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_another_process_holds_until_it_ends(run):
    command = [sys.executable, "-c", HOLDS, str(run.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(BusyError, match="wait for it or stop it"), run.locked():
            pass
        other.kill()
        other.wait()
        with run.locked():
            pass


def test_what_a_step_made_is_shown_at_the_top_and_swapped(run):
    old = run.step("old", {}, [], Maker("old"))
    new = run.step("new", {}, [], Maker("new"))
    link = run.show("result.txt", old.folder / "table.txt")
    assert link == run.folder / "result.txt"
    assert link.read_text() == "old"
    run.show("result.txt", new.folder / "table.txt")
    assert link.is_symlink()
    assert link.read_text() == "new"
    # Relative, so that a run may be moved.
    assert not os.path.isabs(os.readlink(link))
    moved = run.folder.rename(run.folder.with_name("moved"))
    assert (moved / "result.txt").read_text() == "new"


def test_a_killed_showing_does_not_stand_in_the_way(run):
    step = run.step("it", {}, [], Maker("it"))
    (run.folder / f"{runs.UNFINISHED}result.txt").symlink_to("nowhere")
    assert run.show("result.txt", step.folder / "table.txt").read_text() == "it"


def test_a_killed_showing_of_a_folder_is_cleared_away(run):
    step = run.step("it", {}, [], Maker("it"))
    (run.folder / f"{runs.UNFINISHED}model").symlink_to(step.folder)
    with run.locked():
        assert not (run.folder / f"{runs.UNFINISHED}model").is_symlink()
    assert (step.folder / "table.txt").read_text() == "it"


def test_a_run_says_what_it_is(run):
    run.describe({"seed": 42, "retrievers": {"b": {}, "a": {}}}, {"data": "abc"})
    assert list(yaml.safe_load((run.folder / "config.yaml").read_text())["retrievers"]) == ["b", "a"]
    manifest = json.loads((run.folder / MANIFEST).read_text())
    assert (manifest["data"], manifest["engine"], manifest["engine_reason"]) == ("abc", "cpu", "asked for")
    assert {"hmgpu", "polars", "xgboost", "torch", "nvtabular"} <= set(manifest["versions"])
    assert manifest["code"] == code_digest()


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "metrics.json"
    write_json(path, {"a": "ö"})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "ö"}

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            write_text(path, "half")
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "ö"}


def test_a_step_that_another_worker_finished_meanwhile_is_that_one(run):
    """Both write the same; a worker that seemed dead ends after the one that ran its task again."""

    def overtaken(folder: Path) -> dict[str, int]:
        run.step("it", {}, [], Maker("same"))
        return Maker("same")(folder)

    step = run.step("it", {}, [], overtaken)
    unneeded = Maker("same")
    assert run.step("it", {}, [], unneeded) == step
    assert unneeded.times == 0
    assert everything_in(run.folder / "steps") == {"it/table.txt", "it/deeper/more.txt", f"it/{MANIFEST}"}


def test_of_two_workers_that_made_different_things_the_first_counts(run):
    def overtaken(folder: Path) -> dict[str, int]:
        overtaken.first = run.step("it", {}, [], Maker("first"))
        return Maker("second")(folder)

    assert run.step("it", {}, [], overtaken) == overtaken.first
