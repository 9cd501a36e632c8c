"""A folder that is whole or not there. What replaces what, and kills, are in tests/serving/test_export.py."""

import os
from pathlib import Path

import pytest

from hmgpu.core.errors import RunError
from hmgpu.core.whole_folder import NAME, replaced


def write(out: Path, what: str, content: str = "") -> None:
    with replaced(out, what) as draft:
        (draft / "file").write_text(content)
        (draft / NAME).write_text(f'{{"format": "hmgpu {what} 1"}}')


def test_one_kind_does_not_replace_another(tmp_path):
    write(tmp_path / "out", "table", "old")
    with pytest.raises(RunError, match="exists and is not an earlier export, so it is left alone"):
        write(tmp_path / "out", "export")
    write(tmp_path / "out", "table", "new")
    assert (tmp_path / "out" / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


def test_an_error_leaves_what_was_there(tmp_path):
    write(tmp_path / "out", "table", "old")
    with pytest.raises(FileNotFoundError), replaced(tmp_path / "out", "table") as draft:
        (draft / "nowhere" / "file").write_text("half")
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_what_was_put_there_meanwhile_stays(tmp_path):
    with pytest.raises(RunError, match="is left alone"), replaced(tmp_path / "out", "table"):
        (tmp_path / "out").write_text("mine")
    assert (tmp_path / "out").read_text() == "mine"
