"""The seal of a finished run."""

import json
import os
from pathlib import Path

import pytest

from hmgpu.core.errors import RunError
from hmgpu.runs.seal import SEAL, is_whole, seal, verify


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of three files, a link and a log."""
    folder = tmp_path / "run"
    (folder / "steps" / "fit").mkdir(parents=True)
    (folder / "steps" / "fit" / "model.ubj").write_bytes(bytes(range(200)))
    (folder / "config.yaml").write_text("seed: 1\n")
    (folder / "manifest.json").write_text("{}\n")
    (folder / "model").symlink_to("steps/fit")
    (folder / "log.jsonl").write_text("begun\n")
    seal(folder)
    return folder


def files(run: Path) -> list[Path]:
    return [path for path in sorted(run.rglob("*")) if path.is_file() and not path.is_symlink()]


def test_a_run_that_nobody_touched_is_whole(run):
    verify(run)
    assert is_whole(run)
    listed = json.loads((run / SEAL).read_text())
    assert sorted(listed["files"]) == ["config.yaml", "manifest.json", "steps/fit/model.ubj"]
    assert listed["links"] == {"model": "steps/fit"}


def test_a_flipped_bit_in_any_file_is_found_and_the_file_named(run):
    looked_at = [file for file in files(run) if file.name != "log.jsonl"]
    assert len(looked_at) == 4
    for file in looked_at:
        content = file.read_bytes()
        for place in (0, len(content) // 2, len(content) - 2):
            harmed = bytearray(content)
            harmed[place] ^= 1
            file.write_bytes(harmed)
            with pytest.raises(RunError, match=file.name.replace(".", r"\.")):
                verify(run)
            assert not is_whole(run)
        file.write_bytes(content)
    verify(run)


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_file_that_was_cut_off_is_found(run, cut):
    os.truncate(run / "steps" / "fit" / "model.ubj", cut)
    with pytest.raises(RunError, match=r"model\.ubj is not the file"):
        verify(run)


def test_a_file_that_is_gone_is_found(run):
    (run / "config.yaml").unlink()
    with pytest.raises(RunError, match=r"config\.yaml can't be read"):
        verify(run)


def test_a_link_that_leads_elsewhere_is_found(run):
    (run / "model").unlink()
    (run / "model").symlink_to("../elsewhere")
    with pytest.raises(RunError, match="model is not the link"):
        verify(run)


def test_the_log_may_go_on(run):
    with (run / "log.jsonl").open("a") as log:
        log.write("looked at\n")
    verify(run)


def test_only_what_is_asked_for_is_looked_at(run):
    (run / "config.yaml").write_text("seed: 2\n")
    verify(run, ["steps/fit/model.ubj"])
    with pytest.raises(RunError, match=r"config\.yaml"):
        verify(run, ["config.yaml"])


def test_what_the_seal_does_not_list_is_not_trusted(run):
    (run / "steps" / "fit" / "extra.json").write_text("{}")
    verify(run)
    with pytest.raises(RunError, match=r"extra\.json is not the file"):
        verify(run, ["steps/fit/extra.json"])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {}, "links": {}, "sha256": "0"}'])
def test_what_is_no_seal_is_refused(run, content):
    (run / SEAL).write_text(content)
    with pytest.raises(RunError, match=r"seal\.json"):
        verify(run)


def test_without_a_seal_a_run_is_unfinished(run):
    (run / SEAL).unlink()
    with pytest.raises(RunError, match="not finished"):
        verify(run)


def test_sealing_again_is_the_same_seal(run):
    before = (run / SEAL).read_bytes()
    seal(run)
    assert (run / SEAL).read_bytes() == before
