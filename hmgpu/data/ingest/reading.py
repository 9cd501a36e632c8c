"""Read a raw file of any packing as blocks of text rows, with the contract's column names."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.encodings import as_utf8
from hmgpu.data.ingest import csvrows, parquetrows
from hmgpu.data.ingest.guess import clean_names, separator_of, split_header
from hmgpu.data.ingest.rawfiles import RawFile, unpacked
from hmgpu.data.ingest.rows import Rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TABLES, TableName

Progress = Callable[[int, int], None]  # (bytes done, bytes in all)
IDS: dict[TableName, str] = {"transactions": "customer", "articles": "article", "customers": "customer"}


def raw_names(table: TableName, settings: DataSettings) -> dict[str, str]:
    """Return the file's name for each of the contract's columns that is not declared absent."""
    return {name: raw for name, raw in settings.columns.of(table).items() if raw is not None}


def read(raw: RawFile, settings: DataSettings, step: Callable[[int], None]) -> Iterator[Rows]:
    """Yield all rows of `raw` as text, block by block; `step` gets the number of the file's bytes read so far.

    Raises DataError where the file can't be unpacked or lacks a column that is declared present.
    """
    if raw.is_parquet:
        yield from _read_parquet(raw, settings, step)
        return
    with unpacked(raw) as (packed, disk):
        stream = as_utf8(packed, settings.encoding)
        text, line, rest = csvrows.read_header(stream, raw.path, settings.encoding)
        wanted = clean_names([*raw_names(raw.table, settings).values()])
        separator = separator_of(text, wanted, settings.separator)
        names = split_header(text, separator)
        if names is None:
            raise DataError(f"{raw.path} has a header that is not CSV (line {line - 1}).")
        if len(names) == 1 and len(wanted) > 1 and names[0] not in wanted:
            shown = text if len(text) <= 80 else f"{text[:80]}…"
            raise DataError(
                f"{raw.path} has one column, '{shown}': set `data.separator` to what stands between its fields."
            )
        positions = _positions(raw, names, settings)
        identity = IDS[raw.table]
        pattern = settings.article_pattern if identity == "article" else settings.customer_pattern
        header = csvrows.Header(
            fields=len(names),
            positions=positions,
            raw=raw_names(raw.table, settings),
            id_position=positions[identity],
            id_pattern=re.compile(pattern.encode()),
            separator=separator.encode(),
            undecodable="not UTF-8" if settings.encoding == "utf-8" else "not in data.encoding",
        )
        numbers = [column.name for column in TABLES[raw.table] if column.name in positions and column.is_number]
        plain = [settings.numbers.plain(pl.col(name)) for name in numbers]
        for rows in csvrows.read_rows(stream, rest, line, header, raw.path, lambda: step(disk.tell())):
            yield replace(rows, frame=rows.frame.with_columns(plain))


def _read_parquet(raw: RawFile, settings: DataSettings, step: Callable[[int], None]) -> Iterator[Rows]:
    """Yield the rows of a Parquet file, or of the files in a folder of them one after the other."""
    rows_before = size_before = 0
    for part in parquetrows.parts_of(raw):
        positions = _positions(raw, part.names, settings)
        columns = [column for column in TABLES[raw.table] if column.name in positions]
        size = part.path.stat().st_size

        def share(read: float, before: int = size_before, size: int = size) -> None:
            step(before + int(read * size))

        for rows in parquetrows.read_rows(part, columns, positions, settings, rows_before, share):
            rows_before += rows.frame.height
            yield rows
        size_before += size


def _positions(raw: RawFile, names: list[str], settings: DataSettings) -> dict[str, int]:
    """Find the position of each of the contract's columns in the file."""
    wanted_names = {name: clean_names([wanted])[0] for name, wanted in raw_names(raw.table, settings).items()}
    names = clean_names(names)
    for name, wanted in wanted_names.items():
        if names.count(wanted) > 1:
            key = f"data.columns.{raw.table}.{name}"
            raise DataError(f"{raw.path} has {names.count(wanted)} columns '{wanted}', which `{key}` needs: keep one.")
    _refuse_missing(raw, names, {name: wanted for name, wanted in wanted_names.items() if wanted not in names})
    return {name: names.index(wanted) for name, wanted in wanted_names.items()}


def _refuse_missing(raw: RawFile, names: list[str], missing: dict[str, str]) -> None:
    """Raise DataError that names all missing columns, so that the config is right at the second try."""
    if not missing:
        return
    found = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    name, wanted = next(iter(missing.items()))
    optional = [name for name in missing if name not in ("day", "customer", "article")]
    absent = ", or declare it absent with null" if name in optional else ""
    others = ""
    if len(missing) > 1:
        nulls = ", ".join(f"{name}: null" for name in optional)
        others = f" {len(missing) - 1} more are missing; to declare all optional ones absent: {raw.table}: {{{nulls}}}."
    raise DataError(
        f"{raw.path} has no column '{wanted}' (it has {found}): set `data.columns.{raw.table}.{name}` to the file's "
        f"name for it{absent}.{others}"
    )
