"""Read a raw file of any packing as blocks of text rows, with the contract's column names."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.clean_ids import IdStep
from hmgpu.data.encodings import as_utf8
from hmgpu.data.ingest import csvrows, parquetrows
from hmgpu.data.ingest.columns import positions
from hmgpu.data.ingest.guess import clean_names, separator_of, split_header
from hmgpu.data.ingest.rawfiles import RawFile, unpacked
from hmgpu.data.ingest.rows import Rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import Column, TableName

Progress = Callable[[int, int], None]  # (bytes done, bytes in all)
IDS: dict[TableName, str] = {"transactions": "customer", "articles": "article", "customers": "customer"}


def read(
    raw: RawFile, columns: Sequence[Column], settings: DataSettings, step: Callable[[int], None]
) -> Iterator[Rows]:
    """Yield all rows of `raw` as text, block by block; `step` gets the number of the file's bytes read so far.

    The rows have those of `columns` that are in the file. Raises DataError where the file can't be unpacked or lacks a
    required one.
    """
    if raw.is_parquet:
        yield from _read_parquet(raw, columns, settings, step)
        return
    with unpacked(raw) as (packed, disk):
        stream = as_utf8(packed, settings.encoding)
        text, line, rest = csvrows.read_header(stream, raw.path, settings.encoding)
        wanted = clean_names([column.raw for column in columns])
        separator = separator_of(text, wanted, settings.separator)
        names = split_header(text, separator)
        if names is None:
            raise DataError(f"{raw.path} has a header that is not CSV (line {line - 1}).")
        if len(names) == 1 and len(wanted) > 1 and names[0] not in wanted:
            shown = text if len(text) <= 80 else f"{text[:80]}…"
            raise DataError(
                f"{raw.path} has one column, '{shown}': set `data.separator` to what stands between its fields."
            )
        places = positions(raw, names, columns)
        identity = IDS[raw.table]
        pattern = settings.article_pattern if identity == "article" else settings.customer_pattern
        header = csvrows.Header(
            fields=len(names),
            positions=places,
            raw={column.name: column.raw for column in columns},
            id_position=places[identity],
            id_pattern=_before_cleaning(pattern, settings.clean_ids),
            separator=separator.encode(),
            undecodable="not UTF-8" if settings.encoding == "utf-8" else "not in data.encoding",
        )
        numbers = [column for column in columns if column.name in places and column.is_number]
        plain = [column.plain(pl.col(column.name), settings.numbers) for column in numbers]
        for rows in csvrows.read_rows(stream, rest, line, header, raw.path, lambda: step(disk.tell())):
            yield replace(rows, frame=rows.frame.with_columns(plain))


def _before_cleaning(pattern: str, steps: Sequence[IdStep]) -> re.Pattern[bytes]:
    """What an id looks like in the file that matches `pattern` after `steps`."""
    decimals = r"(?:\.0+)?" if "whole" in steps else ""
    blank = r"\s*" if "trim" in steps else ""
    flags = re.IGNORECASE if {"upper", "lower"} & set(steps) else re.NOFLAG
    return re.compile(f"{blank}(?:{pattern}){decimals}{blank}".encode(), flags)


def _read_parquet(
    raw: RawFile, columns: Sequence[Column], settings: DataSettings, step: Callable[[int], None]
) -> Iterator[Rows]:
    """Yield the rows of a Parquet file, or of the files in a folder of them one after the other."""
    rows_before = size_before = 0
    first: list[Column] | None = None
    for part in parquetrows.parts_of(raw):
        places = positions(raw, part.names, columns)
        there = [column for column in columns if column.name in places]
        first = there if first is None else first
        if odd := {column.raw for column in there} ^ {column.raw for column in first}:
            raise DataError(f"{raw.path} has the column '{min(odd)}' in some of its files only: write them alike.")
        size = part.path.stat().st_size

        def share(read: float, before: int = size_before, size: int = size) -> None:
            step(before + int(read * size))

        for rows in parquetrows.read_rows(part, there, places, settings, rows_before, share):
            rows_before += rows.frame.height
            yield rows
        size_before += size
