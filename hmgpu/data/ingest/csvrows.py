"""Turn CSV bytes into rows of text without losing a line: an unreadable row becomes a bad row with its line number.

pyarrow parses. A block in which every physical line gives one row is taken as it is, which is nearly always so. Other
blocks are first cut into records here, so that a stray quote costs its own line and not the rest of the file.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.csv

from hmgpu.core.errors import DataError
from hmgpu.data.encodings import Readable
from hmgpu.data.ingest.guess import SAMPLE, encoding_of
from hmgpu.data.ingest.rawfiles import refuse_disguise
from hmgpu.data.ingest.rows import BAD_SCHEMA, Lines, Rows

BLOCK = 32 << 20  # bytes parsed at once; reading takes a few times this much memory
LONGEST_LINE = 64 << 20  # bytes; a file with a longer line is not a CSV
LONGEST = 1 << 20  # bytes of one record; a quote that is still open after so many was never meant to close

_BEFORE = re.compile(rb"\A(?:\xef\xbb\xbf|\r?\n|sep=.\r?\n)++")  # marks, blank lines and Excel's hint before the header

_NON_ASCII = bytes(range(128)) + b"?" * 128


@dataclass(frozen=True)
class Quoting:
    """What quotes do. As in pyarrow, one is special only where a field starts, and after the closing one it goes on."""

    opens: re.Pattern[bytes]  # a line, begun outside quotes, that ends inside
    stays: re.Pattern[bytes]  # a line, begun inside, that ends inside
    whole: re.Pattern[bytes]  # no bare carriage return outside quotes

    @classmethod
    @cache
    def between(cls, separator: bytes) -> "Quoting":
        """The patterns for fields between such separators."""
        by = re.escape(separator)
        quoted = rb'"(?:[^"]++|"")*+"'
        field = rb'(?:%s[^%s\r]*+|[^"%s\r][^%s\r]*+|)' % (quoted, by, by, by)
        return cls(
            opens=re.compile(rb'(?:%s%s)*+"(?:[^"]++|"")*+' % (field, by)),
            stays=re.compile(rb'(?:[^"]++|"")*+(?:"[^%s\r]*+(?:%s%s)*?%s"(?:[^"]++|"")*+)?' % (by, by, field, by)),
            whole=re.compile(rb"%s(?:%s%s)*+" % (field, by, field)),
        )


Starts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Header:
    """The header line: its number of fields, and the positions of the contract's columns that are read."""

    fields: int
    positions: dict[str, int]
    raw: dict[str, str]  # the contract's name -> the file's name
    id_position: int
    id_pattern: re.Pattern[bytes]
    separator: bytes
    undecodable: str  # the reason of a row that is not text in the file's encoding

    @property
    def quoting(self) -> Quoting:
        return Quoting.between(self.separator)


@dataclass(frozen=True)
class Records:
    """Byte ranges (line ends excluded) and line numbers of a block's records, and the records that are not rows."""

    starts: Starts
    ends: Starts
    lines: Lines
    faults: list[tuple[int, str]]  # position of the record, reason


def read_header(stream: Readable, path: object, encoding: str) -> tuple[str, int, bytes]:
    """Read the header line: its text, the number of the line after it, and the bytes that were read beyond it."""
    data = stream.read(BLOCK)
    refuse_disguise(path, data)
    rest = _BEFORE.sub(b"", data, count=1)
    line, data = 1 + data.count(b"\n", 0, len(data) - len(rest)), rest
    first, end, rest = data.partition(b"\n")
    first = first.removesuffix(b"\r")
    if b"\r" in first:
        raise DataError(f"{path} ends its lines with bare carriage returns: save it with line feeds.")
    if not first:
        raise DataError(f"{path} is empty: it has not even a header.")
    if not end and len(data) >= BLOCK:
        raise DataError(f"{path} has no line end in its first {BLOCK >> 20} MiB, so it is not a CSV file.")
    try:
        if b"\0" not in first:
            return first.decode(), line + 1, rest
    except UnicodeDecodeError:
        pass
    likely = encoding_of(data[:SAMPLE])
    remedy = "get the file again" if likely == encoding else f"set `data.encoding: {likely}`, which may be right"
    raise DataError(f"{path} has a header (line {line}) that is not text in {encoding.upper()}: {remedy}.")


def read_rows(
    stream: Readable, first: bytes, line: int, header: Header, path: object, step: Callable[[], None]
) -> Iterator[Rows]:
    """Yield the rows of `stream`, block by block; `first` are the bytes after the header, `line` their line number."""
    pending, more = first, True
    while more or pending:
        chunk = stream.read(BLOCK) if more else b""
        more = bool(chunk)
        pending += chunk
        step()
        cut = pending.rfind(b"\n") + 1 if more else len(pending)
        if not cut:
            if len(pending) > LONGEST_LINE:
                raise DataError(
                    f"{path} has a line of more than {LONGEST_LINE >> 20} MiB at line {line}, so it is not a CSV file."
                )
            continue
        data, pending = pending[:cut], pending[cut:]
        if not data.endswith(b"\n"):
            data += b"\n"
        rows, used = _plain(data, line, header) or _cut(data, line, header, path, last=not more)
        line += data.count(b"\n", 0, used)
        pending = data[used:] + pending
        yield rows


def _plain(data: bytes, line: int, header: Header) -> tuple[Rows, int] | None:
    """Read the block with pyarrow alone; None unless every physical line gave one row."""
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    if header.quoting.opens.fullmatch(data, data.rfind(b"\n", 0, -1) + 1, len(data) - 1):
        return None  # pyarrow silently closes a quote that is still open at the end of the data
    try:
        frame = _parse(data, header, pa.string())
    except pa.ArrowInvalid:
        return None
    if frame.height != data.count(b"\n"):
        return None
    lines = np.arange(line, line + frame.height, dtype=np.int64)

    def texts(rows: Sequence[int]) -> list[str]:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
        return [_text(data, ends[row - 1] + 1 if row else 0, ends[row]) for row in rows]

    return Rows(frame, lines, BAD_SCHEMA.to_frame(), texts), len(data)


def _cut(data: bytes, line: int, header: Header, path: object, *, last: bool) -> tuple[Rows, int]:
    """Cut the block into records, set aside those that are not rows, and read the rest; also returns the bytes used."""
    records, used = _records(data, line, header, last=last)
    bad: list[tuple[int, str | None, str]] = [(row, None, reason) for row, reason in records.faults]
    kept = np.ones(len(records.starts), dtype=bool)
    kept[[row for row, _ in records.faults]] = False
    kept &= records.ends > records.starts  # blank lines are not rows
    rows = np.flatnonzero(kept)
    # Fields are counted in an ASCII copy, because pyarrow can't report a row that is not UTF-8.
    wrong: list[int] = []
    shape = _join(data.translate(_NON_ASCII), records, rows)

    def skip(row: pa.csv.InvalidRow) -> str:
        wrong.append(row.number - 1)
        return "skip"

    counted = _parse(shape, header, pa.binary(), skip).height
    if counted + len(wrong) != len(rows):
        raise DataError(f"{path} can't be cut into rows between line {line} and {line + data.count(10, 0, used)}.")
    bad += [(int(rows[index]), None, "wrong field count") for index in wrong]
    rows = np.delete(rows, wrong)
    binary = _parse(_join(data, records, rows), header, pa.binary())
    frame, undecodable = _decode(binary)
    bad += [(int(rows[row]), header.raw[name], header.undecodable) for row, name in undecodable.items()]
    good = np.ones(len(rows), dtype=bool)
    good[list(undecodable)] = False
    rows = rows[good]
    frame = frame.filter(pl.Series(good, dtype=pl.Boolean))

    def texts(chosen: Sequence[int]) -> list[str]:
        return [_text(data, records.starts[rows[row]], records.ends[rows[row]]) for row in chosen]

    unreadable = pl.DataFrame(
        [
            (records.lines[row], column, reason, _text(data, records.starts[row], records.ends[row]))
            for row, column, reason in sorted(bad, key=lambda fault: fault[0])
        ],
        schema=BAD_SCHEMA,
        orient="row",
    )
    return Rows(frame, records.lines[rows], unreadable, texts), used


def _records(data: bytes, line: int, header: Header, *, last: bool) -> tuple[Records, int]:
    """Cut at line ends outside quotes; a record that is still open at the end is left for the next block."""
    array = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(array == 10).astype(np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), newlines[:-1] + 1])
    ends = newlines - ((array[newlines - 1] == 13) & (newlines > starts))
    inside = np.zeros(len(starts), dtype=bool)  # lines that continue the record above
    last_line = np.arange(len(starts))
    faults: list[tuple[int, str]] = []
    quoted = np.unique(np.searchsorted(newlines, np.flatnonzero(array == 34)))
    done, used = -1, len(data)
    for index in quoted.tolist():
        if index <= done or not header.quoting.opens.fullmatch(data, starts[index], ends[index]):
            continue
        closing = _closing(data, starts, ends, index, header)
        if closing is None:
            faults.append((index, "unclosed quote"))
        elif closing < len(starts):
            inside[index + 1 : closing + 1] = True
            last_line[index] = closing
            done = closing
        elif last or len(data) - starts[index] > LONGEST:
            faults.append((index, "unclosed quote"))
        else:
            used = int(starts[index])
            inside[index:] = True  # left for the next block
            break
    for position in np.flatnonzero((array[:-1] == 13) & (array[1:] != 10)).tolist():
        index = int(np.searchsorted(newlines, position))
        while inside[index] and index:
            index -= 1
        if not inside[index] and not header.quoting.whole.fullmatch(data, starts[index], ends[last_line[index]]):
            faults.append((index, "bare carriage return"))
    heads = np.flatnonzero(~inside)
    place = dict(zip(heads.tolist(), range(len(heads)), strict=True)) if faults else {}
    named = {place[index]: reason for index, reason in faults}
    return Records(starts[heads], ends[last_line[heads]], line + heads, list(named.items())), used


def _closing(data: bytes, starts: Starts, ends: Starts, opened: int, header: Header) -> int | None:
    """Find the line that closes the quote which line `opened` left open.

    Returns one past the last line where the data ends before the quote, and None where a line in between is clearly a
    row of its own, so that the quote was never meant to stay open.
    """
    for index in range(opened + 1, len(starts)):
        fields = data[starts[index] : ends[index]].split(header.separator)
        if len(fields) >= header.fields and header.id_pattern.fullmatch(fields[header.id_position].strip(b'"')):
            return None
        if not header.quoting.stays.fullmatch(data, starts[index], ends[index]):
            return index
        if ends[index] - starts[opened] > LONGEST:
            return None
    return len(starts)


def _join(data: bytes, records: Records, rows: npt.NDArray[np.int64]) -> bytes:
    """Join the bytes of the records `rows`, each with one line end."""
    edges = np.zeros(len(data) + 1, np.int8)
    edges[records.starts[rows]] += 1
    edges[records.ends[rows] + 1] -= 1
    joined = np.frombuffer(data, np.uint8)[np.cumsum(edges[:-1], dtype=np.int8).view(np.bool_)]
    joined[np.cumsum(records.ends[rows] - records.starts[rows] + 1) - 1] = 10  # where a carriage return may be
    return joined.tobytes()


def _parse(data: bytes, header: Header, dtype: pa.DataType, invalid: Callable[..., str] | None = None) -> pl.DataFrame:
    names = [str(position) for position in range(header.fields)]
    wanted = [names[position] for position in sorted(set(header.positions.values()))]
    if not data:
        table = pa.table({name: pa.array([], dtype) for name in wanted})
    else:
        table = pa.csv.read_csv(
            pa.BufferReader(data),
            read_options=pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            parse_options=pa.csv.ParseOptions(
                delimiter=header.separator.decode(), newlines_in_values=b'"' in data, invalid_row_handler=invalid
            ),
            convert_options=pa.csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, dtype),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    frame = pl.DataFrame(table)
    return frame.select(pl.col(names[position]).alias(name) for name, position in header.positions.items())


def _decode(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
    """Decode binary columns; also returns the rows that are not UTF-8, with the first column at fault."""
    faults: dict[int, str] = {}
    columns = []
    for column in frame:
        try:
            columns.append(column.cast(pl.String))
        except pl.exceptions.ComputeError:
            values: list[str | None] = []
            for row, value in enumerate(column.to_list()):  # slow, and only for a block with broken text
                try:
                    values.append(None if value is None else value.decode())
                except UnicodeDecodeError:
                    values.append(None)
                    faults.setdefault(row, column.name)
            columns.append(pl.Series(column.name, values, dtype=pl.String))
    return pl.DataFrame(columns), faults


def _text(data: bytes, start: int, end: int) -> str:
    return data[start:end].removesuffix(b"\r").decode(errors="backslashreplace")
