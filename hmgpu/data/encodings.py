"""Read text of any encoding as UTF-8."""

import codecs
from typing import IO, Protocol

_MARK = 4  # bytes of the longest byte-order mark
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
_MARKS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # after UTF-32, whose mark begins like theirs
_BROKEN = "hmgpu.broken"
codecs.register_error(_BROKEN, lambda error: ("\udcff" * (error.end - error.start), error.end))  # type: ignore[attr-defined]


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int = -1, /) -> bytes: ...


def marked_encoding(data: bytes) -> str | None:
    """Return the encoding that the byte-order mark at the start of `data` tells; None without one."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)


def known_encoding(name: str) -> str | None:
    """Return Python's own name of an encoding of text; None if there is none of that name."""
    sample = "a;1\n" * 20
    try:
        return codecs.lookup(name).name.removesuffix("-sig") if sample.encode(name).decode(name) == sample else None
    except (LookupError, UnicodeError):
        return None


def as_utf8(stream: IO[bytes], encoding: str) -> Readable:
    """Return the bytes of `stream` as UTF-8; a byte-order mark tells the encoding, without one it is `encoding`.

    What is broken in its encoding is broken in UTF-8, too, so that the row can be told.
    """
    head = b""
    while len(head) < _MARK and (more := stream.read(_MARK - len(head))):
        head += more
    encoding = marked_encoding(head) or encoding
    return _Headed(head, stream) if encoding == "utf-8" else _Recoded(_Headed(head, stream), encoding)


class _Headed:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self.head, self.stream = head, stream

    def read(self, size: int = -1, /) -> bytes:
        head, self.head = self.head, b""
        return head + self.stream.read(max(size - len(head), 0) if size >= 0 else size)


class _Recoded:
    """Text that is read in one encoding and given in UTF-8."""

    def __init__(self, stream: Readable, encoding: str) -> None:
        self.stream, self.decoder = stream, codecs.getincrementaldecoder(encoding)(_BROKEN)

    def read(self, size: int = -1, /) -> bytes:
        while data := self.stream.read(size):
            if text := self.decoder.decode(data):
                return text.encode("utf-8", "surrogateescape")
        return self.decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")
