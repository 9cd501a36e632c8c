"""Write the encoded tables of the week after the data, with the retailer's ids: what neural models see, readable."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.core.files import write_json
from hmgpu.pipeline.pipeline import Pipeline

CUSTOMERS, ARTICLES, COLUMNS = "customers.parquet", "articles.parquet", "columns.json"
LATEST_ARTICLES = 16  # in a `recent_` list; models have settings of their own


def encode_run(pipeline: Pipeline) -> tuple[list[dict[str, Any]], Path]:
    """Write `customers.parquet` and `articles.parquet`; return facts of each column, and the run's folder `encoded`.

    Fits the workflows unless the run has them.
    """
    store, learning = pipeline.store, pipeline.learning
    fitted = learning.encoded

    def write(folder: Path) -> dict[str, int]:
        history = store.as_of(store.next_week.first_day)
        articles = learning.encoders.articles(history)
        everybody = history.customers.select("customer")
        customers = learning.encoders.customers(history, everybody, articles, LATEST_ARTICLES)
        for file, table, ids in (
            (CUSTOMERS, customers, store.customer_ids().select("customer_id", key="customer")),
            (ARTICLES, articles, store.article_ids().select("article_id", key="article")),
        ):
            named = pipeline.engine.collect(ids.join(table.lazy(), on="key").sort("key"))
            named.write_parquet(folder / file)
        write_json(folder / COLUMNS, [*_column_facts(customers, "customers"), *_column_facts(articles, "articles")])
        return {"customers": customers.height, "articles": articles.height}

    name = f"{store.next_week}/encoded"
    step = pipeline.run.step(name, {"latest_articles": LATEST_ARTICLES}, [store.digest, fitted.digest], write)
    columns = json.loads((step.folder / COLUMNS).read_text())
    return columns, pipeline.run.show("encoded", step.folder)


def _column_facts(table: pl.DataFrame, name: str) -> Iterator[dict[str, Any]]:
    for column in table.drop("key"):
        facts = {"table": name, "column": column.name, "rows": table.height}
        values = column.explode() if column.dtype == pl.List else column
        if values.dtype.is_float():
            yield facts | {"encoding": "number", "mean": values.mean(), "std": values.std()}
        else:
            encoding = "codes" if column.dtype == pl.List else "code"
            yield facts | {"encoding": encoding, "codes": values.n_unique()}


def encoding_table(columns: Sequence[dict[str, Any]]) -> Table:
    """Return the column facts of `encode_run` as a table for the terminal."""
    table = Table(title="Encoded for the week after the data")
    for heading in ("table", "column", "encoding"):
        table.add_column(heading)
    for heading in ("codes that occur", "mean", "std", "rows"):
        table.add_column(heading, justify="right")
    for column in columns:
        codes = f"{column['codes']:,}" if "codes" in column else ""
        # A single row has no standard deviation.
        moments = ("" if column.get(name) is None else f"{column[name]:.2f}" for name in ("mean", "std"))
        names = (column[name] for name in ("table", "column", "encoding"))
        table.add_row(*names, codes, *moments, f"{column['rows']:,}")
    return table
