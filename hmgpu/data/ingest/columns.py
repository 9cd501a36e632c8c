"""The columns that are read from a raw file: what they are here, what the file calls them, and which must be there."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.guess import clean_names
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import LAUNCHED, QUANTITY, TABLES, Column, TableName

OF_ARTICLES = "articles."
"""Begins the name of an article's attribute that is read from the transactions."""
FOR_WHERE = "where."
"""Begins the name of a raw column that `data.where` reads."""


def wanted(table: TableName, settings: DataSettings, there: Manifest | None) -> list[Column]:
    """Return the columns to read from a file of `table`, each with the file's name for it as `raw`.

    `required` columns must be in the file: those that every data set has, those that the config calls by a name of
    their own, and all that the data set appended to (`there`) has. The others may be absent.
    """
    names = named(table, settings)
    own = (*TABLES[table], LAUNCHED) if table == "articles" else TABLES[table]
    columns = [_called(column, names[column.name]) for column in own if column.name in names]
    if there:
        columns = [replace(column, required=True) for column in columns if column.name in there.present[table]]
    if table == "transactions":
        columns += only_read(settings)
    return columns


def named(table: TableName, settings: DataSettings) -> dict[str, str]:
    """Return the file's name for each of the contract's columns that is not declared absent."""
    return {name: raw for name, raw in settings.columns.of(table).items() if raw is not None}


def _called(column: Column, raw: str) -> Column:
    return replace(column, raw=raw, required=column.required or raw != column.raw)


def only_read(settings: DataSettings) -> list[Column]:
    """Return the columns to read from a transactions file that are not among those of the data set's transactions."""
    columns = list[Column]()
    if quantity := settings.columns.transactions.get("quantity"):
        columns.append(_called(QUANTITY, quantity))
    if settings.files.articles is None:
        given = settings.columns.articles
        attributes = [column for column in TABLES["articles"] if column.kind != "key" and given.get(column.name)]
        columns += [Column(OF_ARTICLES + each.name, each.kind, str(given[each.name]), True) for each in attributes]
    if settings.where:
        read = dict.fromkeys(pl.sql_expr(settings.where).meta.root_names())
        columns += [Column(FOR_WHERE + raw, "text", raw, True) for raw in read]
    return columns


def key_of(table: TableName, name: str) -> str:
    """Return the setting that names a column of `table`."""
    if name.startswith(FOR_WHERE):
        return "data.where"
    return f"data.columns.{name if name.startswith(OF_ARTICLES) else f'{table}.{name}'}"


def positions(raw: RawFile, names: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    """Find which of `columns` the file has and where: position in `names`, its header, by the column's name here.

    Raises DataError where a required one is missing, or the header has one twice.
    """
    names, columns = clean_names(names), [replace(each, raw=clean_names([each.raw])[0]) for each in columns]
    for column in columns:
        if (times := names.count(column.raw)) > 1:
            key = key_of(raw.table, column.name)
            raise DataError(f"{raw.path} has {times} columns '{column.raw}', which `{key}` needs: keep one.")
    _refuse_missing(raw, names, [each for each in columns if each.required and each.raw not in names])
    return {column.name: names.index(column.raw) for column in columns if column.raw in names}


def _refuse_missing(raw: RawFile, names: Sequence[str], missing: Sequence[Column]) -> None:
    """Raise DataError that names all missing columns, so that the config is right at the second try."""
    if not missing:
        return
    found = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    first, *rest = missing
    others = f" Also missing: {', '.join(f'{each.raw} ({key_of(raw.table, each.name)})' for each in rest)}."
    raise DataError(
        f"{raw.path} has no column '{first.raw}' (it has {found}): set `{key_of(raw.table, first.name)}` to the file's "
        f"name for it.{others if rest else ''}"
    )
