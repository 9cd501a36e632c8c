"""RelBench's ids: customers and articles are numbered by their rows in the files."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.ingest.columns import wanted
from hmgpu.data.ingest.rawfiles import RawFile, find
from hmgpu.data.ingest.reading import read
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.data.tables import TableName

OF: Mapping[str, TableName] = {"customer": "customers", "article": "articles"}


@dataclass(frozen=True)
class Nodes:
    """RelBench's id of every customer and article."""

    customers: pl.DataFrame
    """(customer int32, node int64), sorted by node."""
    articles: pl.DataFrame
    """(article int32, node int64), sorted by node."""

    @classmethod
    def of(cls, settings: DataSettings, store: Store, engine: Engine) -> "Nodes":
        """Number the rows of the raw files.

        Raises DataError where a file is missing, or a row of it is not in the data set: it would move all later ones.
        """
        files = find(settings.raw, settings, [])
        for table in OF.values():
            if table not in files:
                raise DataError(f"RelBench numbers {table} by the rows of their file, but data.files.{table} is null.")
        known = {"customer": store.customer_ids(), "article": store.article_ids()}
        tables = {key: _numbered(files[OF[key]], settings, key, engine.collect(known[key]), store) for key in OF}
        return cls(tables["customer"], tables["article"])


def _numbered(raw: RawFile, settings: DataSettings, key: str, known: pl.DataFrame, store: Store) -> pl.DataFrame:
    columns = [column for column in wanted(raw.table, settings, None) if column.name == key]
    ids = pl.concat(rows.frame[key] for rows in read(raw, columns, settings, lambda reached: None))
    rows = pl.DataFrame({f"{key}_id": ids}).with_row_index("node").cast({"node": pl.Int64})
    found = rows.join(known, on=f"{key}_id", how="left", maintain_order="left")
    if found[key].null_count() or found[key].is_duplicated().any():
        wrong = found.filter(pl.col(key).is_null() | pl.col(key).is_duplicated()).row(0, named=True)
        row, said = wrong["node"] + 1, f"{key}_id '{wrong[f'{key}_id']}'"
        raise DataError(
            f"{raw.path}, row {row}: {said} is in the data set {store.root} not at all or twice, and RelBench numbers "
            "rows: ingest the same files again with `hmgpu ingest --replace`."
        )
    return found.select(key, "node")
