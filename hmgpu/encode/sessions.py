"""Session lists: the codes of each customer's latest articles, newest first, made by NVTabular's list operations."""

from typing import Any

import numpy as np
import polars as pl

from hmgpu.data.store import History
from hmgpu.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.encode.columns import JUST_NOW, LATEST, RECENT, listed
from hmgpu.encode.rows import latest_rows
from hmgpu.engine import Engine

import nvtabular as nvt  # isort: skip
from nvtabular import ops  # isort: skip


class Lists(ops.Groupby):  # type: ignore[misc]
    """`Groupby` into lists that cuts whole columns: pandas calls Python for every group and column, 30 µs each."""

    def transform(self, col_selector: Any, df: Any) -> Any:
        if not len(df) or type(df).__module__.startswith("cudf"):
            return super().transform(col_selector, df)
        (key,) = self.groupby_cols
        ordered = df.sort_values([key, *self.sort_cols], kind="stable", ignore_index=True)
        keys = ordered[key].to_numpy()
        starts = np.flatnonzero(keys[1:] != keys[:-1]) + 1
        lists = {f"{name}_list": np.split(ordered[name].to_numpy(), starts) for name in self.list_aggs}
        return type(df)({key: keys[np.r_[0, starts]]} | lists)


def sessions(history: History, customers: pl.LazyFrame, articles: pl.DataFrame, n: int, engine: Engine) -> pl.DataFrame:
    """(key int32, `recent_…` and `latest_…` lists of int32) of those `customers` who have bought anything.

    Args:
        articles: encoded articles of the same history (key, codes …).
        n: articles in a `recent_` list; a `latest_` one has the first few of them.
    """
    names = [column.name for column in listed(history.present)]
    rows = engine.collect(latest_rows(history, customers, n).sort("customer", "rank"))
    attributes = engine.frame(articles.select("key", *names))
    joined = ["customer", "rank", "key"] >> ops.JoinExternal(attributes, on=["key"])
    recent = joined >> Lists(["customer"], sort_cols=["rank"], aggs={name: ["list"] for name in names})
    latest = recent[[f"{name}_list" for name in names]] >> ops.ListSlice(0, JUST_NOW) >> ops.Rename(postfix="_latest")
    workflow = nvt.Workflow(recent + latest)
    # Nothing is learned here: fitting only infers the columns' types, for which a few rows are enough.
    workflow.fit(nvt.Dataset(engine.frame(rows.head(100)), cpu=engine.name == "cpu"))
    lists = workflow.transform(nvt.Dataset(engine.frame(rows), cpu=engine.name == "cpu"))
    table = engine.table(lists.to_ddf().compute())
    made = {f"{RECENT}{name}": f"{name}_list" for name in names}
    made |= {f"{LATEST}{name}": f"{name}_list_latest" for name in names}
    codes = {name: pl.col(column).cast(pl.List(pl.Int32)) for name, column in made.items()}
    return table.select(key="customer", **codes)
