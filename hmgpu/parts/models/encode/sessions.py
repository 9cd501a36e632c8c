"""Lists of the codes of each customer's latest articles, newest first, collected by NVTabular's `Groupby`."""

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.models.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.parts.models.encode.columns import COLUMNS, JUST_NOW, LATEST, RECENT
from hmgpu.parts.models.encode.rows import latest_rows

import nvtabular as nvt  # isort: skip
from merlin.schema import ColumnSchema, Schema  # isort: skip
from nvtabular import ops  # isort: skip

AT_ONCE = 100_000  # customers encoded at once: on the CPU each list is a Python object until it is in a table


class Lists(ops.Groupby):  # type: ignore[misc]
    """`Groupby` into lists by slicing whole columns; pandas calls Python for every group and column, 30 µs each."""

    def transform(self, col_selector: Any, df: Any) -> Any:
        if not len(df) or type(df).__module__.startswith("cudf"):
            return super().transform(col_selector, df)
        (key,) = self.groupby_cols
        ordered = df.sort_values([key, *self.sort_cols], kind="stable", ignore_index=True)
        keys = ordered[key].to_numpy()
        starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
        bounds = [*starts.tolist(), len(keys)]
        lists = {key: keys[starts]}
        for name in self.list_aggs:
            values = ordered[name].to_numpy()
            lists[f"{name}_list"] = [values[first:end] for first, end in pairwise(bounds)]
        return type(df)(lists)


def sessions(history: History, customers: pl.LazyFrame, articles: pl.DataFrame, n: int, engine: Engine) -> pl.DataFrame:
    """Return (key int32, `recent_…` and `latest_…` lists of int32) of those `customers` who have bought anything.

    Args:
        history: with these customers' purchases.
        customers: (customer) to encode.
        articles: encoded articles of the same history (key, codes …).
        n: articles in a `recent_` list; a `latest_` list has the first few of them.
        engine: where to compute, on the CPU or the GPU.
    """
    names = [column.name for column in COLUMNS if column.listed and column.name in articles.columns]
    recent = {name: pl.col(f"{name}_list").cast(pl.List(pl.Int32)) for name in names}
    codes = {f"{RECENT}{name}": column for name, column in recent.items()}
    codes |= {f"{LATEST}{name}": column.list.head(JUST_NOW) for name, column in recent.items()}
    rows = engine.collect(latest_rows(history, customers, n).sort("customer", "rank"))
    if rows.is_empty():  # which NVTabular can't put through a join
        return pl.DataFrame(schema={"key": pl.Int32} | dict.fromkeys(codes, pl.List(pl.Int32)))
    workflow = _workflow(engine.frame(articles.select("key", *names)), names)
    workflow.fit_schema(Schema([ColumnSchema(name, dtype="int32") for name in rows.columns]))  # nothing is learned here
    parts = rows.with_columns(part=pl.col("customer").rle_id() // AT_ONCE).partition_by("part", include_key=False)
    tables = (engine.table(workflow.transform(engine.frame(part))) for part in parts)
    return pl.concat([table.select(key="customer", **codes) for table in tables])


def _workflow(attributes: Any, names: list[str]) -> Any:
    """Build the workflow from rows (customer, rank, key) to one row a customer, with lists of the columns `names`."""
    joined = ["customer", "rank", "key"] >> ops.JoinExternal(attributes, on=["key"])
    return nvt.Workflow(joined >> Lists(["customer"], sort_cols=["rank"], aggs={name: ["list"] for name in names}))
