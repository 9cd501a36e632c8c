"""Write data frames as raw files, and derive the settings to ingest them: columns that a frame lacks are absent."""

import datetime
from collections.abc import Mapping
from typing import Any

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.columns import only_read
from hmgpu.data.settings import MOST_CHANNELS, Columns, DataSettings
from hmgpu.data.tables import IF_NAMED, TABLES, Column, TableName
from hmgpu.data.weeks import day_number, weekday_of


def write_raw(tables: Mapping[TableName, pl.DataFrame | None], settings: DataSettings) -> dict[str, Any]:
    """Write `tables` as Parquet into the folder `settings.raw`, one file a table; None stands for an absent table.

    Returns:
        The settings, by `data.key`, with which the files can be ingested: names of files and columns, null for what is
        absent; the channels that occur; and, as first day of a week, the weekday after the last day, so that the last
        seven days are a week.

    Raises DataError where a required column is missing.
    """
    found: dict[str, Any] = {}
    for table, frame in tables.items():
        if frame is None:
            found[f"data.files.{table}"] = None
            continue
        names = settings.columns.of(table)
        columns = columns_in(table, frame, names)
        columns |= {column.name: names[column.name] for column in IF_NAMED[table] if column.name in names}
        more = list[Column]()
        if table == "transactions":
            articles = settings.files.articles if tables.get("articles") is not None else None
            files = settings.files.model_copy(update={"articles": articles})
            more = only_read(settings.model_copy(update={"files": files}))
        found |= {f"data.files.{table}": table, f"data.columns.{table}": columns}
        settings.raw.mkdir(parents=True, exist_ok=True)
        read = [name for name in (*columns.values(), *(column.raw for column in more)) if name]
        if lacking := [name for name in read if name not in frame.columns]:
            raise DataError(
                f"The {table} have no column '{lacking[0]}', which the config names: add it, or leave it out."
            )
        kept = frame.select(list(dict.fromkeys(read)))
        kept.write_parquet(settings.raw / f"{table}.parquet")
        if table == "transactions":
            found |= _channels(frame, columns["channel"])
            found |= _week_starts(frame, columns["day"], settings.date_format)
    return found


def columns_in(table: TableName, frame: pl.DataFrame, names: Mapping[str, str | None]) -> Columns:
    """Find what `frame` calls each column of `table`: the name in `names`, or hmgpu's own; None if it has neither.

    Args:
        names: the frame's name for each column, None if absent. A name other than H&M's must be in the frame.

    Raises DataError where a required column is missing, or one that `names` gives another name than H&M's.
    """
    found: Columns = {}
    for column in TABLES[table]:
        named = names[column.name]
        if named is None or named in frame.columns:
            found[column.name] = named
        elif named == column.raw and column.name in frame.columns:
            found[column.name] = column.name
        elif column.required or named != column.raw:
            raise DataError(_missing(table, frame, column, named))
        else:
            found[column.name] = None
    return found


def _missing(table: TableName, frame: pl.DataFrame, column: Column, named: str) -> str:
    there = ", ".join(frame.columns[:8]) + (", …" if len(frame.columns) > 8 else "")
    absent = "" if column.required else ", or to None if there is no such column"
    return (
        f"The {table} have no column '{named}' (they have {there}): set `data.columns.{table}.{column.name}` to the "
        f"frame's name for it{absent}."
    )


def _channels(frame: pl.DataFrame, column: str | None) -> dict[str, Any]:
    if column is None:
        return {}
    occurring = frame[column].drop_nulls().cast(pl.String).unique().sort().to_list()
    if not 1 <= len(occurring) <= MOST_CHANNELS:
        raise DataError(
            f"The column '{column}' holds {len(occurring):,} sales channels, not 1 to {MOST_CHANNELS}: set "
            "`data.columns.transactions.channel` to another column, or to None."
        )
    return {"data.channels": occurring}


def _week_starts(frame: pl.DataFrame, column: str | None, date_format: str) -> dict[str, Any]:
    days = frame[column or "day"]
    if not days.dtype.is_temporal():
        days = days.cast(pl.String).str.to_date(date_format, strict=False)
    last = days.cast(pl.Date).max()
    if not isinstance(last, datetime.date):
        return {}  # ingest reports what is wrong with the days
    return {"data.week_starts": weekday_of(day_number(last) + 1)}
