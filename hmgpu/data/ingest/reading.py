"""Read a raw file of any packing as blocks of text rows, with the contract's column names."""

import re
from collections.abc import Callable, Iterator

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import csvrows, parquetrows
from hmgpu.data.ingest.rawfiles import RawFile, unpacked
from hmgpu.data.ingest.rows import Rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TableName

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
        positions = _positions(raw, parquetrows.column_names(raw.path), settings)
        yield from parquetrows.read_rows(
            raw.path, raw.table, positions, settings, lambda share: step(int(share * raw.size))
        )
        return
    with unpacked(raw) as (stream, disk):
        names, line, rest = csvrows.read_header(stream, raw.path)
        positions = _positions(raw, names, settings)
        identity = IDS[raw.table]
        pattern = settings.article_pattern if identity == "article" else settings.customer_pattern
        header = csvrows.Header(
            fields=len(names),
            positions=positions,
            raw=raw_names(raw.table, settings),
            id_position=positions[identity],
            id_pattern=re.compile(pattern.encode()),
            multiline=raw.table != "transactions",
        )
        yield from csvrows.read_rows(stream, rest, line, header, raw.path, lambda: step(disk.tell()))


def _positions(raw: RawFile, names: list[str], settings: DataSettings) -> dict[str, int]:
    """Find the position of each of the contract's columns in the file."""
    wanted_names = raw_names(raw.table, settings)
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
