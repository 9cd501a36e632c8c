"""Files are written whole or not at all, and hashes tell them apart."""

import errno
import json
import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.core import files
from hmgpu.core.errors import ConfigError, DiskError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5
)


def test_a_hash_is_that_of_the_bytes(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    assert files.sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_hashes_are_of_every_file_below(tmp_path):
    (tmp_path / "in" / "empty").mkdir(parents=True)
    (tmp_path / "in" / "b").write_text("b")
    (tmp_path / "a").write_text("a")
    found = files.hashes(tmp_path)
    assert list(found) == ["a", "in/b"]
    assert found["in/b"] == files.sha256(tmp_path / "in" / "b")


@given(st.dictionaries(st.text(), JSON, min_size=1))
def test_a_digest_knows_the_content_and_not_the_order_of_keys(content):
    backwards = dict(reversed(content.items()))
    assert files.digest_of(backwards) == files.digest_of(content)
    assert files.digest_of({"other": content}) != files.digest_of(content)


def test_a_result_replaces_itself_and_nothing_else(tmp_path):
    file = tmp_path / "deep" / "found.json"
    for number in (1, 2):
        files.write_result(file, {"runs": ("a", "b"), "number": number}, ("runs",))
    assert json.loads(file.read_text()) == {"runs": ["a", "b"], "number": 2}
    for other in ({"runs": ["a", "c"]}, {"number": 1}, [], "text"):
        (tmp_path / "other").write_text(json.dumps(other))
        with pytest.raises(ConfigError, match="other is there already and holds something else: name another file"):
            files.write_result(tmp_path / "other", {"runs": ["a", "b"]}, ("runs",))
        assert json.loads((tmp_path / "other").read_text()) == other


def test_vacant_is_what_is_not_there_or_empty(tmp_path):
    assert files.is_vacant(tmp_path / "none")
    assert files.is_vacant(tmp_path)
    (tmp_path / "file").touch()
    assert not files.is_vacant(tmp_path)
    assert not files.is_vacant(tmp_path / "file")


def test_a_link_is_swapped_over_what_it_led_to_and_over_a_draft_left_behind(tmp_path):
    link, draft = tmp_path / "now", tmp_path / "draft"
    draft.symlink_to("left")
    for target in ("first", "second"):
        files.swap_link(link, target, draft)
        assert os.readlink(link) == target
    assert list(tmp_path.iterdir()) == [link]


def test_json_reads_back_the_same(tmp_path):
    content = {"prénom": [1, None, {"é": 0.1}]}
    files.write_json(tmp_path / "a.json", content)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == content
    assert "prénom" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("fails", [OSError(errno.EIO, "no such luck"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_what_could_not_be_written_leaves_what_was_there(tmp_path, monkeypatch, fails):
    file = tmp_path / "a"
    files.write_text(file, "first")

    def fail(source, target):
        raise fails

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(type(fails)) as raised:
        files.write_text(file, "second")
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]
    if isinstance(fails, OSError):
        assert raised.value.filename == str(file)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("polars: No space left on device (os error 28)"),
    ],
    ids=["full", "quota", "wrapped"],
)
def test_the_error_of_a_full_disk_names_the_folder(tmp_path, error):
    with pytest.raises(DiskError, match=f"The disk of {tmp_path} is full: make room"), files.needing_room(tmp_path):
        raise error


@pytest.mark.parametrize("free", [0, 1])
def test_a_write_that_failed_without_a_reason_is_blamed_on_a_disk_without_room(tmp_path, monkeypatch, free):
    monkeypatch.setattr(files.os, "statvfs", lambda _: SimpleNamespace(f_bavail=free))
    error = RuntimeError("parquet: File out of specification: Invalid thrift: transport error")
    with pytest.raises(RuntimeError if free else DiskError), files.needing_room(tmp_path):
        raise error


def test_any_other_error_is_left_as_it_is(tmp_path):
    with pytest.raises(OSError, match="denied"), files.needing_room(tmp_path):
        raise OSError(errno.EACCES, "denied")
