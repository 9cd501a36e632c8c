"""Read the customers that are asked for: ids as they are, and files of ids."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.parquet import read_table, schema_of
from hmgpu.data.clean_ids import IdStep, cleaned

PARQUET = b"PAR1"
AS_TEXT = (pl.String, *pl.datatypes.group.INTEGER_DTYPES)


def customers_asked(
    asked: Iterable[str], pattern: str, column: str = "customer_id", clean: Iterable[IdStep] = ()
) -> list[str]:
    """Return customer ids in the order in which they were asked for, each once.

    Args:
        asked: ids and files. A file holds one id per line, or is CSV or Parquet with the column `column`.
        pattern: regular expression that a whole id matches, `data.customer_pattern` of the config.
        column: what the retailer's files call a customer's id.
        clean: what is done to ids first, `data.clean_ids` of the config.

    Raises DataError naming an id that does not match, with its file and line, or a file that can't be read.
    """
    rows = list(itertools.chain.from_iterable(_rows(each, column) for each in asked))
    ids = pl.Series([id_ for _, id_ in rows], dtype=pl.String).to_frame("id").select(cleaned(pl.col("id"), clean))["id"]
    wrong = (~ids.str.contains(f"^(?:{pattern})$")).arg_true()  # the same test as ingest's
    if len(wrong):
        where, id_ = rows[wrong[0]]
        problem = f"{where}: '{id_}' is not a" if where else f"'{id_}' is neither a file nor a"
        raise DataError(f"{problem} customer id: one matches {pattern} (data.customer_pattern).")
    return ids.unique(maintain_order=True).to_list()


def _rows(asked: str, column: str) -> list[tuple[str, str]]:
    """Return (where, id) of a single id, with an empty `where`, or of every id in a file."""
    path = Path(asked)
    if not asked.strip():
        raise DataError("A customer id is empty: give an id, or a file with ids.")
    if not _exists(path):
        return [("", asked)]
    if path.is_dir():
        raise DataError(f"{path} is a folder: name a file with customer ids.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from None
    rows = list(
        _parquet_rows(path, content, column) if content.startswith(PARQUET) else _text_rows(path, content, column)
    )
    if not rows:
        raise DataError(f"{path} holds no customer ids: write one per line, or CSV or Parquet with a column {column}.")
    return rows


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name, or unreadable: not a file in any case
        return False


def _text_rows(path: Path, content: bytes, column: str) -> Iterator[tuple[str, str]]:
    """Yield (where, id) of every line that is not blank."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(f"{path} is neither text in UTF-8 nor Parquet: write one id per line, or a column {column}.")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = None
    try:
        for fields in lines:
            if not any(field.strip() for field in fields):
                continue
            if header is None:
                header = _header(path, fields, column)
                if column in header:
                    continue
            where = f"{path}, line {lines.line_num}"
            if column not in header:
                yield where, ",".join(fields).strip()
            else:
                yield where, dict(zip(header, fields, strict=False)).get(column, "").strip()
    except csv.Error as error:
        raise DataError(f"{path}, line {lines.line_num} is not CSV ({error}).") from None


def _header(path: Path, first: list[str], column: str) -> list[str]:
    """Return the names of the columns; none where the first line is an id already."""
    names = [name.strip() for name in first]
    if column in names:
        return names
    if len(names) > 1 or path.suffix.lower() == ".csv":
        raise DataError(f"{path} has no column {column}; its first line has {', '.join(names)}.")
    return []


def _parquet_rows(path: Path, content: bytes, column: str) -> Iterator[tuple[str, str]]:
    """Yield (where, id) of every row."""
    try:
        there = schema_of(io.BytesIO(content))
        if column not in there:
            raise DataError(f"{path} has no column {column}; it has {', '.join(there)}.")
        if there[column] not in AS_TEXT:
            raise DataError(f"{path} has a column {column} of {there[column]}: ids are text.")
        ids = read_table(io.BytesIO(content), columns=[column])[column].cast(pl.String).fill_null("")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} can't be read as Parquet ({error}).") from None
    for row, id_ in enumerate(ids, start=1):
        yield f"{path}, row {row}", id_
