"""Raw files as RelBench's H&M database: what its generator makes of them, and the manifests of its three tasks."""

from pathlib import Path

import polars as pl
import yaml

PURCHASES = """
    SELECT t.timestamp, b.customer_id, LIST(DISTINCT b.article_id) AS article_id
    FROM timestamps t LEFT JOIN transactions b
    ON b.t_dat > t.timestamp AND b.t_dat <= t.timestamp + INTERVAL '{timedelta}'
    GROUP BY t.timestamp, b.customer_id"""
CHURN = """
    SELECT timestamp, customer_id, CAST(NOT EXISTS (
        SELECT 1 FROM transactions b WHERE b.customer_id = customer.customer_id
        AND t_dat > timestamp AND t_dat <= timestamp + INTERVAL '{timedelta}') AS INTEGER) AS churn
    FROM timestamps, customer WHERE EXISTS (
        SELECT 1 FROM transactions b WHERE b.customer_id = customer.customer_id
        AND t_dat > timestamp - INTERVAL '{timedelta}' AND t_dat <= timestamp)"""
SALES = """
    SELECT timestamp, article_id, sales FROM timestamps, article, (
        SELECT COALESCE(SUM(price), 0) AS sales FROM transactions b WHERE b.article_id = article.article_id
        AND t_dat > timestamp AND t_dat <= timestamp + INTERVAL '{timedelta}')"""
TABLES = {
    "transactions": {"pkey": None, "time_col": "t_dat", "fkeys": {"customer_id": "customer", "article_id": "article"}},
    "article": {"pkey": "article_id", "time_col": None, "fkeys": {}},
    "customer": {"pkey": "customer_id", "time_col": None, "fkeys": {}},
}
TASKS = {
    "user-item-purchase": {
        "task_type": "recommendation",
        "src_entity_table": "customer",
        "src_entity_col": "customer_id",
        "dst_entity_table": "article",
        "dst_entity_col": "article_id",
        "target_col": "article_id",
        "eval_k": 12,
        "sql": PURCHASES,
    },
    "user-churn": {
        "task_type": "binary_classification",
        "entity_table": "customer",
        "entity_col": "customer_id",
        "target_col": "churn",
        "sql": CHURN,
    },
    "item-sales": {
        "task_type": "regression",
        "entity_table": "article",
        "entity_col": "article_id",
        "target_col": "sales",
        "sql": SALES,
    },
}


def write_dataset(raw: Path, folder: Path) -> Path:
    """Write RelBench's folder of the raw files: keys are the numbers of rows, purchases begin on 2019-09-07."""
    (folder / "db").mkdir(parents=True)
    numbered = {}
    for table, file in (("article", "articles"), ("customer", "customers")):
        key = f"{table}_id"
        rows = pl.read_csv(raw / f"{file}.csv", schema_overrides={key: pl.String}, infer_schema_length=None, glob=False)
        numbered[table] = rows.select(key, node=pl.int_range(pl.len(), dtype=pl.Int64))
        rows.with_columns(numbered[table]["node"].alias(key)).write_parquet(folder / "db" / f"{table}.parquet")
    text = {"article_id": pl.String, "customer_id": pl.String, "t_dat": pl.String}
    bought = pl.read_csv(raw / "transactions_train.csv", schema_overrides=text, glob=False)
    for table, nodes in numbered.items():
        key = f"{table}_id"
        bought = bought.join(nodes, on=key, maintain_order="left").drop(key).rename({"node": key})
    since = bought.with_columns(pl.col("t_dat").str.to_datetime("%Y-%m-%d")).filter(
        pl.col("t_dat") >= pl.datetime(2019, 9, 7)
    )
    since.write_parquet(folder / "db" / "transactions.parquet")
    origins = {"val_timestamp": "2020-09-07", "test_timestamp": "2020-09-14"}
    _write(folder, {"name": "rel-hm", **origins, "tables": TABLES})
    for name, task in TASKS.items():
        _write(folder / "tasks" / name, {"name": name, "kind": "forecast", "time_col": "timestamp", **task} | WEEK)
    return folder


WEEK = {"timedelta": "7 days"}


def _write(folder: Path, manifest: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
