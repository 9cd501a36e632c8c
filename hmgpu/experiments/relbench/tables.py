"""The tables of RelBench's three H&M tasks at one origin: who or what is asked about, and what happened.

The definitions are those of the SQL in RelBench's task manifests. Rows are in the order of RelBench's ids.
"""

import math
from fractions import Fraction

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import Store
from hmgpu.data.weeks import DAYS
from hmgpu.experiments.relbench.nodes import Nodes
from hmgpu.experiments.relbench.protocol import Origin, training_origins

PURCHASE, CHURN, SALES = "user-item-purchase", "user-churn", "item-sales"
TASKS = (PURCHASE, CHURN, SALES)


def purchases(store: Store, origin: Origin, engine: Engine) -> pl.DataFrame:
    """Return what was bought in the week after `origin` (customer, article), each pair once: the buyers are asked."""
    return engine.collect(store.sold_in(origin.week))


def churn(store: Store, origin: Origin, nodes: Nodes, engine: Engine) -> pl.DataFrame:
    """Return whoever bought in the week that ends with `origin` (customer, churn int8): 1 without one in the next."""
    asked = store.purchases_in(origin.week_before).select("customer").unique()
    again = store.purchases_in(origin.week).select("customer").unique().with_columns(churn=pl.lit(0, pl.Int8))
    found = engine.collect(asked.join(again, on="customer", how="left").with_columns(pl.col("churn").fill_null(1)))
    return nodes.customers.join(found, on="customer", maintain_order="left").select("customer", "churn")


def sales(store: Store, origin: Origin, nodes: Nodes, engine: Engine) -> pl.DataFrame:
    """Return every article with the sum of the prices paid in the week after `origin` (article, sales float64)."""
    week = origin.week
    rows = store.known_before(week.last_day + 1).transactions.filter(pl.col("day") >= week.first_day)
    found = engine.collect(revenue(rows, price_unit(store)))
    table = nodes.articles.join(found, on="article", how="left", maintain_order="left")
    return table.select("article", pl.col("sales").fill_null(0.0))


def revenue(transactions: pl.LazyFrame, unit: float) -> pl.LazyFrame:
    """Return (article, sales float64), the sum of the prices in the retailer's own unit."""
    paid = transactions.group_by("article").agg(pl.col("price").cast(pl.Int64).sum())
    return paid.select("article", sales=pl.col("price") * unit)


def deviation(store: Store, nodes: Nodes, engine: Engine) -> float:
    """Return the standard deviation of the sales of all articles at all of RelBench's training origins.

    Sums are of whole price units, so it doesn't depend on threads; one degree of freedom less, as RelBench has it.
    """
    origins, articles = training_origins(store.manifest.first_day), nodes.articles.height
    known = store.known_before(origins[-1].week.last_day + 1).transactions
    after = known.filter(pl.col("day") > origins[0].day)
    weekly = after.group_by("article", week=(pl.col("day") - origins[0].week.first_day) // DAYS)
    paid = engine.collect(weekly.agg(pl.col("price").cast(pl.Int64).sum()))["price"]
    rows, total, squares = articles * len(origins), int(paid.sum()), int((paid.cast(pl.Int128) ** 2).sum())
    return price_unit(store) * math.sqrt((squares - total * total / rows) / (rows - 1))


def price_unit(store: Store) -> float:
    """Return what a price unit of the data set is in the retailer's files."""
    return float(Fraction(str(store.manifest.settings["price_unit"])))
