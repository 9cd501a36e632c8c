"""Read Parquet files by their exact names.

Polars takes `[`, `*` and `?` in a path for patterns, so a folder whose name holds one could not be read; here they are
letters like others. Lint refuses Polars' own readers everywhere else.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import polars as pl


def scan_table(files: Path | Iterable[Path]) -> pl.LazyFrame:
    """Plan to read one file, or several of the same columns one after the other."""
    return pl.scan_parquet([files] if isinstance(files, Path) else list(files), glob=False)


def read_table(file: Path | BytesIO, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a file, or only some of its columns; the rows keep their order."""
    return pl.read_parquet(file, columns=None if columns is None else list(columns), glob=False)


def schema_of(file: Path | BytesIO) -> pl.Schema:
    """Return the names and types of a file's columns."""
    return pl.scan_parquet(file, glob=False).collect_schema()
