# ruff: noqa: E501 (a case a line)
"""Text of any encoding is read as UTF-8, and what is broken stays broken."""

import codecs
import io

import pytest

from hmgpu.data.encodings import as_utf8, known_encoding

TEXT = "id;näme\n1;Größe €\n" * 50


def recoded(data: bytes, encoding: str, size: int = 7) -> bytes:
    stream = as_utf8(io.BytesIO(data), encoding)
    read = b""
    while block := stream.read(size):
        read += block
    return read


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "cp1252", "iso8859-15", "gb18030"]
)
def test_text_of_an_encoding_that_is_named(encoding: str) -> None:
    assert recoded(TEXT.encode(encoding), encoding) == TEXT.encode()


@pytest.mark.parametrize("marked", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("named", ["utf-8", "cp1252"])
def test_a_mark_counts_before_the_name(marked: str, named: str) -> None:
    assert recoded(TEXT.encode(marked), named).removeprefix(codecs.BOM_UTF8) == TEXT.encode()


@pytest.mark.parametrize(
    ("data", "encoding", "read"),
    [(b"a\x81b", "cp1252", b"a\xffb"), (b"a\0b\0c", "utf-16-le", b"ab\xff"), (b"a\xffb", "utf-8", b"a\xffb"),
     (b"", "cp1252", b""), (b"x", "cp1252", b"x")],
)  # fmt: skip
def test_what_is_broken_stays_broken(data: bytes, encoding: str, read: bytes) -> None:
    assert recoded(data, encoding) == read


@pytest.mark.parametrize(
    ("name", "known"),
    [("UTF8", "utf-8"), ("utf-8-sig", "utf-8"), ("latin1", "iso8859-1"), ("windows-1252", "cp1252"), ("UTF-16LE", "utf-16-le"),
     ("base64", None), ("undefined", None), ("idna", None), ("no such", None), ("", None)],
)  # fmt: skip
def test_names_of_encodings(name: str, known: str | None) -> None:
    assert known_encoding(name) == known
