"""RelBench's prediction tables: CSV files as `relbench.submit.write_prediction_table` of relbench 3.0.2 writes them."""

from pathlib import Path

import polars as pl

from hmgpu.experiments.relbench.nodes import Nodes
from hmgpu.experiments.relbench.protocol import Origin
from hmgpu.experiments.relbench.tables import CHURN, PURCHASE, SALES

DATASET = "rel-hm"


def file_of(task: str) -> str:
    """Return the name that RelBench expects of a task's prediction table."""
    return f"{DATASET}__{task}.csv"


def write_purchases(folder: Path, lists: pl.DataFrame, nodes: Nodes, origin: Origin) -> None:
    """Write each buyer's list: customer_id, timestamp, and article_id, a list of RelBench's ids as JSON.

    Args:
        lists: (customer, article, rank).
    """
    named = lists.join(nodes.articles.rename({"node": "to"}), on="article").sort("customer", "rank")
    rows = named.group_by("customer", maintain_order=True).agg(pl.col("to").cast(pl.String).str.join(", "))
    cells = rows.join(nodes.customers, on="customer").sort("node").select("node", article_id="[" + pl.col("to") + "]")
    _write(folder / file_of(PURCHASE), cells.rename({"node": "customer_id"}), origin)


def write_churn(folder: Path, predicted: pl.DataFrame, nodes: Nodes, origin: Origin) -> None:
    """Write (customer, predicted) as customer_id, timestamp, churn: the probability of no purchase."""
    rows = predicted.join(nodes.customers, on="customer").sort("node")
    _write(folder / file_of(CHURN), rows.select(customer_id="node", churn="predicted"), origin)


def write_sales(folder: Path, predicted: pl.DataFrame, nodes: Nodes, origin: Origin) -> None:
    """Write (article, predicted) as article_id, timestamp, sales."""
    rows = predicted.join(nodes.articles, on="article").sort("node")
    _write(folder / file_of(SALES), rows.select(article_id="node", sales="predicted"), origin)


def _write(file: Path, rows: pl.DataFrame, origin: Origin) -> None:
    key, value = rows.columns
    table = rows.select(key, pl.lit(origin.timestamp.date().isoformat()).alias("timestamp"), value)
    table.write_csv(file)
