"""Read Parquet as the same rows of text that CSV gives, so that one set of checks serves both."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.rows import BAD_SCHEMA, Rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TABLES, Column, TableName

BATCH = 1 << 18  # rows read at once
DAMAGE = (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError)  # raised when a damaged file is read
_EXACT = 2.0**53  # below this, floats hold whole numbers exactly


def read_rows(
    path: Path, table: TableName, positions: dict[str, int], settings: DataSettings, step: Callable[[float], None]
) -> Iterator[Rows]:
    """Yield the rows of a Parquet file, batch by batch; `positions` are in its schema, `step` gets the share read."""
    contract = [column for column in TABLES[table] if column.name in positions]
    try:
        with pa.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            done, total = 0, max(file.metadata.num_rows, 1)
            wanted = sorted({names[position] for position in positions.values()})
            for batch in file.iter_batches(BATCH, columns=wanted, use_threads=False):
                batch.validate(full=True)  # Polars assumes that text is UTF-8
                # The schema's own metadata is dropped: that of a damaged file can make Polars panic.
                raw = pl.DataFrame(pa.table(batch.columns, names=batch.schema.names))
                frame = raw.select(
                    _as_text(raw[names[positions[column.name]]], column, table, settings, path) for column in contract
                )
                lines = np.arange(done + 1, done + 1 + raw.height, dtype=np.int64)
                yield Rows(frame, lines, BAD_SCHEMA.to_frame(), _texts(frame))
                done += raw.height
                step(done / total)
    except DAMAGE as error:
        raise _damaged(path, error) from None


def column_names(path: Path) -> list[str]:
    """Return the names of the file's top-level columns."""
    try:
        names: list[str] = pa.parquet.read_schema(path).names
    except DAMAGE as error:
        raise _damaged(path, error) from None
    return names


def _damaged(path: Path, error: Exception) -> DataError:
    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    return DataError(f"{path} can't be read as Parquet ({reason}): get the file again.")


def _as_text(series: pl.Series, column: Column, table: TableName, settings: DataSettings, path: Path) -> pl.Series:
    """Convert a column to text as in a CSV; ids that were stored as numbers get their leading zeros back."""
    dtype = series.dtype
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.String):
        text = series.cast(pl.String)
    elif dtype == pl.Boolean:
        text = series.cast(pl.Int8).cast(pl.String)
    elif dtype.is_integer():
        text = series.cast(pl.String)
    elif dtype.is_float() and column.kind != "price":
        values = series.cast(pl.Float64)
        whole = ((values == values.floor()) & (values.abs() < _EXACT)).fill_null(False)
        integers = values.set(~whole, None).cast(pl.Int64).cast(pl.String)
        text = integers.zip_with(whole, values.cast(pl.String))
    elif dtype.is_float() or dtype.is_decimal():
        text = series.cast(pl.String)
    elif isinstance(dtype, pl.Date | pl.Datetime):
        text = series.cast(pl.Datetime).dt.strftime(settings.date_format)
    else:
        raise DataError(f"{path} has column '{series.name}' as {dtype}, which can't be read as text.")
    if dtype.is_numeric() and column.kind == "key":
        pattern = settings.article_pattern if column.name == "article" else settings.customer_pattern
        if digits := re.fullmatch(r"\\d\{(\d+)\}|\[0-9\]\{(\d+)\}", pattern):
            text = text.str.zfill(int(digits[1] or digits[2]))
    return text.set(text == "", None).alias(column.name)


def _texts(frame: pl.DataFrame) -> Callable[[Sequence[int]], list[str]]:
    def texts(rows: Sequence[int]) -> list[str]:
        """Write the contract's columns as a line of CSV, as a row of Parquet has no text of its own."""
        lines = []
        for row in rows:
            line = io.StringIO()
            csv.writer(line, lineterminator="").writerow(frame.row(row))
            lines.append(line.getvalue())
        return lines

    return texts
