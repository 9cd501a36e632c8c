"""Recognise by its first bytes what a file is, whatever it is called."""

import re

_EXCEL = "open it and save each sheet as CSV UTF-8"
_UNPACK = "unpack it, or pack it with gzip"
_CONVERT = "write the table as CSV or Parquet"
_AGAIN = "get the file itself"
# In order: a pattern of the first bytes, what such a file is, and what to do about it.
_KNOWN = [
    (rb"\xd0\xcf\x11\xe0", "an Excel workbook", _EXCEL),
    (rb"\x1f\x8b", "packed with gzip twice", "unpack it once"),
    (rb"PK[\x03\x05]", "a zip archive inside another file", "unpack it once"),
    (rb"PAR1", "a Parquet file inside another file", "unpack it"),
    (rb"PARE", "an encrypted Parquet file", "write it without encryption"),
    (rb"BZh[1-9]1AY&SY", "packed with bzip2", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "packed with zstd", _UNPACK),
    (rb"\xfd7zXZ\0", "packed with xz", _UNPACK),
    (rb"\x04\x22\x4d\x18", "packed with lz4", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a", "a 7-Zip or RAR archive", _UNPACK),
    (rb"ARROW1\0\0", "an Arrow (Feather) file", _CONVERT),
    (rb"ORC[^ -~\s]", "an ORC file", _CONVERT),
    (rb"Obj\x01", "an Avro file", _CONVERT),
    (rb"\x89HDF", "an HDF5 file", _CONVERT),
    (rb"SQLite format 3\0", "a SQLite database", _CONVERT),
    (rb"\x80[\x02-\x05][\x95c}(\]\x8c]", "a Python pickle", _CONVERT),
    (rb"%PDF-", "a PDF", _AGAIN),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", "a picture", _AGAIN),
    (rb"version https://git-lfs\.", "a pointer to the file in Git LFS, not the file", "run `git lfs pull`"),
    (rb"/annex/objects/|(?:\.\./)*\.git/annex/objects/", "a pointer of git-annex, not the file", "run `git annex get`"),
    (rb"(?i)\s*<(?:!doctype|html|head|body|script)\b", "an HTML page, perhaps of a login or an error", _AGAIN),
    (rb"\s*<\?xml", "an XML file", _CONVERT),
    (rb'\s*(?:\[\s*)?\{\s*"', "a JSON file", _CONVERT),
]
_PATTERNS = [(re.compile(pattern, re.DOTALL), what, remedy) for pattern, what, remedy in _KNOWN]
LOOKED_AT = 512
"""So many first bytes are looked at."""


def recognise(head: bytes) -> tuple[str, str] | None:
    """Return what a file that begins with `head` is and what to do about it; None if that may be a table as text."""
    head = head[:LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
    return next(((what, remedy) for pattern, what, remedy in _PATTERNS if pattern.match(head)), None)
