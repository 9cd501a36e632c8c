"""Features of candidates as in public H&M notebooks: popularity, price, age, repurchases, days since."""

import polars as pl

from hmgpu.benchmark.peers.notebook_candidates import PAIR
from hmgpu.core.engine import Engine
from hmgpu.data.store import History

WINDOWS = (7, 14, 28, 91)
CODES = ("product_type", "department", "section", "garment_group", "index_group", "colour", "appearance")
"""Codes of the catalogue, where the data has them."""
NEEDS = frozenset({"price", "age", "product", "product_type", "department"})


def with_notebook_features(pairs: pl.DataFrame, history: History, engine: Engine) -> pl.DataFrame:
    """Return `pairs` (customer, article, …) in their order, with columns of numbers computed from the history."""
    customers = pairs.select("customer").unique()
    past = engine.collect(history.of(customers.lazy()).transactions.select(*PAIR, "day", "price"))
    recent = engine.collect(history.last(max(WINDOWS)).select(*PAIR, "day", "price"))
    people = engine.collect(history.customers.select("customer", "age"))
    codes = [code for code in CODES if history.has(code)]
    catalogue = engine.collect(history.articles.select("article", "first_day", "product", *codes))
    tables = [
        (["article"], _articles(recent, people, history.cutoff)),
        (["article"], catalogue.with_columns(age_on_sale=history.cutoff - pl.col("first_day")).drop("first_day")),
        (["customer"], _customers(past, people, history.cutoff)),
        (PAIR, _bought(past, PAIR, "article", history.cutoff)),
    ]
    bought = past.join(catalogue.select("article", "product", "product_type", "department"), on="article")
    for of in ("product", "product_type", "department"):
        tables.append((["customer", of], _bought(bought, ["customer", of], of, history.cutoff)))
    for keys, table in tables:
        pairs = pairs.join(table, on=keys, how="left", maintain_order="left")
    own, usual = pl.col("price"), pl.col("customer_price")
    return pairs.drop("product").with_columns(
        age_gap=(pl.col("age") - pl.col("buyers_age")).abs(),
        price_gap=own / usual,
        trend=pl.col("sold_7") / pl.col("sold_28"),
    )


def _articles(recent: pl.DataFrame, people: pl.DataFrame, cutoff: int) -> pl.DataFrame:
    since = cutoff - pl.col("day")
    ages = recent.join(people, on="customer", how="left")
    # Sums of whole numbers are divided: a mean of floats would depend on the order of threads.
    aged = pl.col("age").is_not_null().sum()
    return ages.group_by("article").agg(
        *((since <= days).sum().alias(f"sold_{days}") for days in WINDOWS),
        last_sold=since.min(),
        buyers=pl.col("customer").n_unique(),
        price=_mean("price"),
        buyers_age=pl.when(aged > 0).then(pl.col("age").cast(pl.Int64).sum() / aged),
    )


def _customers(past: pl.DataFrame, people: pl.DataFrame, cutoff: int) -> pl.DataFrame:
    since = cutoff - pl.col("day")
    facts = past.group_by("customer").agg(
        units=pl.len(),
        days=pl.col("day").n_unique(),
        articles=pl.col("article").n_unique(),
        units_28=(since <= 28).sum(),
        since=since.min(),
        customer_price=_mean("price"),
    )
    return people.join(facts, on="customer", how="left")


def _bought(past: pl.DataFrame, keys: list[str], of: str, cutoff: int) -> pl.DataFrame:
    """How often, and how many days ago, a customer bought something with these keys."""
    since = cutoff - pl.col("day").max()
    return past.drop_nulls(keys).group_by(keys).agg(pl.len().alias(f"{of}_times"), since.alias(f"{of}_since"))


def _mean(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64).sum() / pl.len()
