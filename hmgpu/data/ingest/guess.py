"""Guess from a raw file's first rows how it is written: encoding, separator, numbers and days."""

import codecs
import csv
import itertools
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import polars as pl
import pyarrow as pa
import pyarrow.parquet

from hmgpu.data.date_formats import DateFormat
from hmgpu.data.encodings import marked_encoding
from hmgpu.data.ingest.parquetforms import FormError, as_text
from hmgpu.data.ingest.parquetrows import DAMAGE, damaged
from hmgpu.data.ingest.rawfiles import RawFile, refuse_disguise, unpacked
from hmgpu.data.number_formats import NumberFormat

SAMPLE = 1 << 20  # bytes of a file that are looked at
ROWS = 1000  # rows of a sample
SEPARATORS = (",", ";", "\t", "|")
_CYRILLIC = re.compile(rb"[\xc0-\xff]{5}")  # accented letters of western words are never so many in a row

_PADDED = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"]
_PADDED += ["%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%y-%m-%d", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%y", "%b %d, %Y"]
_DAYS = _PADDED + [codes.replace("%d", "%-d").replace("%m", "%-m") for codes in _PADDED if codes != "%Y%m%d"]
_TIMES = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p"]
_TIMES += [codes.replace("%H", "%-H").replace("%I", "%-I") for codes in _TIMES if "f" not in codes]
_ENDS = ["", *(f"{by}{time}{zone}" for by in (" ", "T") for time in _TIMES for zone in ("", "%z", " %z"))]
_NUMBERS = [NumberFormat(".", None), NumberFormat(".", ","), NumberFormat(",", "."), NumberFormat(",", None)]
_NUMBERS += [NumberFormat(decimal, thousands) for decimal, thousands in itertools.product(".,", " '")]


@dataclass(frozen=True)
class Look:
    """A file's first rows as text, and how it is written; encoding and separator are null in Parquet."""

    columns: dict[str, list[str | None]]
    """The first values of each column, in the file's order, by the name in its header."""
    encoding: str | None
    separator: str | None


def look(
    raw: RawFile, *, encoding: str | None = None, separator: str | None = None, wanted: Collection[str] = ()
) -> Look:
    """Read the first rows of a file as text.

    Args:
        encoding: None guesses it.
        separator: preferred to those that are guessed, unless they give more of the columns `wanted`.

    Raises DataError where the file is damaged or no table.
    """
    if raw.is_parquet:
        return Look(_look_at_parquet(raw), None, None)
    with unpacked(raw) as (stream, _):
        data = b""
        while len(data) < SAMPLE and (more := stream.read(SAMPLE - len(data))):
            data += more
    refuse_disguise(raw.path, data)
    encoding = marked_encoding(data) or encoding or encoding_of(data)
    text = data.decode(encoding, "replace").lstrip("\ufeff\r\n")
    lines = text.splitlines(keepends=True)
    if len(data) == SAMPLE and len(lines) > 1:
        lines.pop()  # cut off
    separator = separator_of(lines[0] if lines else "", wanted, separator)
    rows = list(itertools.islice(csv.reader(lines, delimiter=separator), ROWS + 1))
    names = clean_names(rows[0]) if rows else []
    whole = [row for row in rows[1:] if len(row) == len(names)]
    return Look(
        {name: [row[number] or None for row in whole] for number, name in enumerate(names)}, encoding, separator
    )


def encoding_of(data: bytes) -> str:
    """Guess the encoding of a file that begins with `data`: utf-8 where that fits, else the likeliest other one."""
    if marked := marked_encoding(data):
        return marked
    start = data[:10_000]
    if (zeros := start.count(b"\0")) > len(start) // 4:
        return "utf-16-le" if start[1::2].count(b"\0") * 2 > zeros else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    if _CYRILLIC.search(data):
        return "cp1251"
    try:
        data.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        return "latin-1"


def separator_of(header: str, wanted: Collection[str] = (), given: str | None = None) -> str:
    """Guess what separates the fields: what gives most of the names `wanted`, else `given`, else most names."""

    def fit(separator: str) -> tuple[int, bool, int]:
        found = split_header(header, separator) or []
        return len(set(wanted) & set(found)), separator == given, len(found)

    best: str = max((*SEPARATORS, *([given] if given else ())), key=fit)
    return best


def split_header(header: str, separator: str) -> list[str] | None:
    """Return the names in a header line, without blanks and marks around them; None where it is not CSV."""
    try:
        return clean_names(next(csv.reader([header], delimiter=separator, strict=True, skipinitialspace=True), []))
    except csv.Error:
        return None


def clean_names(names: Sequence[str]) -> list[str]:
    """Take blanks and byte-order marks away from around column names."""
    return [name.strip(" \t\r\n\u00a0\ufeff") for name in names]


def number_formats(values: Sequence[str | None]) -> list[NumberFormat]:
    """Return the ways to write numbers that all `values` keep to, the likeliest first; none for no values."""
    texts = pl.DataFrame({"text": [value for value in values if value]}, schema={"text": pl.String})
    if texts.is_empty():
        return []
    text = pl.col("text")
    return [
        each for each in _NUMBERS if texts.select(text.str.contains(each.pattern()).all() & each.is_needed(text)).item()
    ]


def date_formats(values: Sequence[str | None]) -> list[str]:
    """Return the formats, in strftime codes, that all `values` are written in, the likeliest first; none for no values.

    More than one means that the values can't tell, as 07/09/2020 can't.
    """
    texts = pl.DataFrame({"day": sorted({value for value in values if value})}, schema={"day": pl.String})
    if texts.is_empty():
        return []
    for likely in _alike(re.sub("[0-9]", "0", texts["day"][0])):
        fitting = [
            codes for codes in likely if texts.select(DateFormat(codes).read(pl.col("day")).is_not_null().all()).item()
        ]
        if fitting:
            return [codes for codes in fitting if "%-" not in codes] or fitting
    return []


@cache
def _alike(shape: str) -> list[list[str]]:
    """The formats that look like `shape`, a day whose digits are all 0, by their times, the likeliest first."""
    if not re.search("00|0[^0]+0", shape):
        return []
    each = ([day + end for day in _DAYS if DateFormat(day + end).looks_like(shape)] for end in _ENDS)
    return [codes for codes in each if codes]


def _look_at_parquet(raw: RawFile) -> dict[str, list[str | None]]:
    columns: dict[str, list[str | None]] = {}
    try:
        with pa.parquet.ParquetFile(raw.parts[0]) as file:
            batch = next(file.iter_batches(ROWS), None)
            for name in file.schema_arrow.names:
                columns[name] = []
                if batch is not None and file.schema_arrow.names.count(name) == 1:
                    with suppress(FormError):
                        columns[name] = as_text(batch.column(name), DateFormat("%Y-%m-%d"), price=False).to_list()
    except DAMAGE as error:
        raise damaged(raw.parts[0], error) from None
    return columns
