"""Read Parquet as the same rows of text that CSV gives, so that one set of checks serves both."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.parquetforms import FormError, as_text, holds_numbers
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.rows import BAD_SCHEMA, Rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import Column

BATCH = 1 << 18  # rows read at once
_INSTANT = pa.timestamp("us", "UTC")  # what Spark and Hive mean by INT96, which can't name a zone
_NULL = "__HIVE_DEFAULT_PARTITION__"
DAMAGE = (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError)  # raised when a damaged file is read


@dataclass(frozen=True)
class Part:
    """A Parquet file, and the columns that the folders around it name, as in `country=SE/part-0.parquet`."""

    path: Path
    partition: dict[str, str | None]

    @property
    def names(self) -> list[str]:
        """The names of its top-level columns, then those of its folders. Raises DataError for a damaged file."""
        try:
            names: list[str] = pa.parquet.read_schema(self.path).names
        except DAMAGE as error:
            raise damaged(self.path, error) from None
        return [*names, *(name for name in self.partition if name not in names)]


def parts_of(raw: RawFile) -> list[Part]:
    """Return the Parquet files that `raw` is made of, in order."""
    parts = []
    for path in raw.parts:
        pairs = (folder.split("=", 1) for folder in path.relative_to(raw.path).parts[:-1] if "=" in folder)
        parts.append(Part(path, {name: None if value == _NULL else unquote(value) for name, value in pairs}))
    return parts


def read_rows(
    part: Part,
    columns: Sequence[Column],
    positions: dict[str, int],
    settings: DataSettings,
    before: int,
    step: Callable[[float], None],
) -> Iterator[Rows]:
    """Yield the rows of a Parquet file, batch by batch.

    Args:
        columns: those to read, which are at `positions` of the part's names.
        before: number of rows in the parts before this one.
        step: gets the share that was read.
    """
    path = part.path
    try:
        with pa.parquet.ParquetFile(path, coerce_int96_timestamp_unit=_INSTANT.unit) as file:
            own, names = file.schema_arrow.names, part.names
            wanted = [(names[positions[column.name]], column) for column in columns]
            leaves = [file.schema.column(number) for number in range(len(file.schema))]
            instants = {leaf.path for leaf in leaves if leaf.physical_type == "INT96"}
            done, total = 0, max(file.metadata.num_rows, 1)
            stored = sorted({name for name, _ in wanted if name in own})
            for batch in file.iter_batches(BATCH, columns=stored, use_threads=False):
                batch.validate(full=True)  # Polars assumes that text is UTF-8
                arrays = {name: pa.array([value] * batch.num_rows) for name, value in part.partition.items()}
                for name, array in zip(batch.schema.names, batch.columns, strict=True):
                    arrays[name] = array.cast(_INSTANT) if name in instants else array
                frame = pl.DataFrame(
                    [_column(arrays[name], column, settings, f"{path}: its column '{name}'") for name, column in wanted]
                )
                lines = np.arange(done + 1, done + 1 + batch.num_rows, dtype=np.int64) + before
                yield Rows(frame, lines, BAD_SCHEMA.to_frame(), _texts(frame))
                done += batch.num_rows
                step(done / total)
    except DAMAGE as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> DataError:
    """Return the error that says why a Parquet file can't be read."""
    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    return DataError(f"{path} can't be read as Parquet ({reason}): get the file again.")


def _column(array: pa.Array, column: Column, settings: DataSettings, at: str) -> pl.Series:
    """Convert a column to text as in a CSV; ids that were stored as numbers get their leading zeros back."""
    try:
        text = as_text(array, settings.dates, price=column.kind == "price")
    except FormError as error:
        raise DataError(f"{at} {error}.") from None
    if column.is_number and not holds_numbers(array.type):
        text = text.to_frame("text").select(column.plain(pl.col("text"), settings.numbers)).to_series()
    if column.kind == "key" and holds_numbers(array.type):
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
