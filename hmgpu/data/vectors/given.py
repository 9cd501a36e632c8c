"""Read a user's own vectors from a Parquet file, and check every row."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from hmgpu.core.errors import DataError
from hmgpu.data.choices import VectorsOf
from hmgpu.data.ingest.parquetrows import DAMAGE
from hmgpu.data.manifest import Vectors
from hmgpu.data.store import Store
from hmgpu.data.vectors.keep import keep

ID, VECTOR = "article_id", "vector"
WANTED = f"Parquet with {ID} (text, as in the raw articles file) and {VECTOR} (lists of floats, all of one length)"


def take_vectors(store: Store, of: VectorsOf, file: Path) -> Vectors:
    """Store the vectors of `file` in the data set; raises DataError, with nothing changed, if `read_given` does."""
    ids, vectors = read_given(file, store.article_ids().collect()["article_id"])
    name = file.name.encode(errors="backslashreplace").decode()  # a file's name may be bytes that are not text
    return keep(store.root, of, ids, vectors, f"file {name}")


def read_given(path: Path, known: pl.Series) -> "tuple[pl.Series, np.ndarray[Any, Any]]":
    """Read the ids (String) and vectors (rows, dimensions) float32 of a file, in its order.

    Articles without a vector are left out of the file. Raises DataError, which names file, row (from 1) and column, for
    an article that is not among the `known` ids or comes twice, and for a vector that is missing, of another length,
    all zero, or not finite.
    """
    table = _read(path)
    ids, vectors = table[ID], table[VECTOR]
    _refuse(path, ID, ids.is_null(), "is empty: write the article's id, or leave the row out")
    unknown = "names an article that the data set does not have: leave the row out, or append the article first"
    _refuse(path, ID, ~ids.is_in(known), unknown, ids)
    _refuse(path, ID, ~ids.is_first_distinct(), "names an article that an earlier row has: leave one of them out", ids)
    _refuse(path, VECTOR, vectors.is_null(), "is empty: leave the row out where an article has no vector")
    lengths = vectors.list.len()
    dimensions = int(lengths[0])
    other = f"is the vector's length, but row 1's is {dimensions}: all vectors must have one length"
    _refuse(path, VECTOR, lengths != dimensions, other, lengths)
    if not dimensions:
        raise DataError(f"{path}, row 1, column {VECTOR}: holds no numbers; write {WANTED}.")
    finite = vectors.list.eval(pl.element().is_finite().fill_null(False)).list.all()
    _refuse(path, VECTOR, ~finite, "holds a null, NaN or infinite number: fix it, or leave the row out")
    matrix = vectors.explode().to_numpy().reshape(-1, dimensions)
    zeros = "is all zeros, which have no direction: leave the row out where an article has no vector"
    _refuse(path, VECTOR, pl.Series(~matrix.any(axis=1)), zeros)
    return ids, matrix


def _read(path: Path) -> pl.DataFrame:
    """Read the file as a table (article_id String, vector list[f32]) and check its columns."""
    if not path.is_file():
        raise DataError(f"There is no file {path} to take vectors from.")
    try:
        with pa.parquet.ParquetFile(path) as file:
            absent = [name for name in (ID, VECTOR) if name not in file.schema_arrow.names]
            if absent:
                raise DataError(f"{path} has no column {absent[0]}: write {WANTED}.")
            arrow = file.read(columns=[ID, VECTOR], use_threads=False)
        arrow.validate(full=True)  # Polars assumes that text is UTF-8
        # The schema's own metadata is dropped: that of a damaged file can make Polars panic.
        table = pl.DataFrame(pa.table(arrow.columns, names=arrow.schema.names))
    except DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(f"{path} can't be read as Parquet ({reason}): get the file again, or write {WANTED}.") from None
    for name, fits in ((ID, _is_text), (VECTOR, _is_list)):
        if not fits(table.schema[name]):
            raise DataError(f"{path} has column {name} as {table.schema[name]}: write {WANTED}.")
    if table.is_empty():
        raise DataError(f"{path} holds no rows: write {WANTED}.")
    return table.select(pl.col(ID).cast(pl.String), pl.col(VECTOR).cast(pl.List(pl.Float32)))


def _is_text(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def _is_list(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.List | pl.Array) and getattr(dtype.inner, "is_float", lambda: False)()


def _refuse(path: Path, column: str, bad: pl.Series, why: str, values: pl.Series | None = None) -> None:
    """Raise DataError for the first row that is `bad`, quoting its entry of `values`."""
    rows = bad.arg_true()
    if rows.is_empty():
        return
    first = int(rows[0])
    others = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
    value = "" if values is None else f"{values[first]} "
    raise DataError(f"{path}, row {first + 1}{others}, column {column}: {value}{why}.")
