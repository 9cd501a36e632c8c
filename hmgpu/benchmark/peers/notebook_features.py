"""Features of candidates as in public H&M notebooks: popularity, price, age, repurchases, days since."""

import polars as pl

from hmgpu.benchmark.peers.notebook_candidates import PAIR
from hmgpu.core.engine import Engine
from hmgpu.data.store import History

WINDOWS = (7, 14, 28, 91)
CODES = ("product_type", "department", "section", "garment_group", "index_group", "colour", "appearance")
"""Codes of the catalogue, where the data has them."""
LEVELS = ("product", "product_type", "department")
"""What a customer's purchases are counted by, next to the article itself, where the data has it."""


def with_notebook_features(pairs: pl.DataFrame, history: History, engine: Engine) -> pl.DataFrame:
    """Return `pairs` (customer, article, …) in their order, with columns of numbers computed from the history.

    What the data lacks, such as prices, ages or departments, leaves its columns out.
    """
    customers = pairs.select("customer").unique()
    columns = [*PAIR, "day", *(["price"] if history.has("price") else [])]
    past = engine.collect(history.of(customers.lazy()).transactions.select(columns))
    recent = engine.collect(history.last(max(WINDOWS)).select(columns))
    people = engine.collect(history.customers.select("customer", *(["age"] if history.has("age") else [])))
    levels, codes = ([name for name in names if history.has(name)] for names in (LEVELS, CODES))
    catalogue = engine.collect(history.articles.select("article", "first_day", *dict.fromkeys([*levels, *codes])))
    tables = [
        (["article"], _articles(recent, people, history.cutoff)),
        (["article"], catalogue.with_columns(age_on_sale=history.cutoff - pl.col("first_day")).drop("first_day")),
        (["customer"], _customers(past, people, history.cutoff)),
        (PAIR, _bought(past, PAIR, "article", history.cutoff)),
    ]
    bought = past.join(catalogue.select("article", *levels), on="article")
    for of in levels:
        tables.append((["customer", of], _bought(bought, ["customer", of], of, history.cutoff)))
    for keys, table in tables:
        pairs = pairs.join(table, on=keys, how="left", maintain_order="left")
    gaps = {"trend": pl.col("sold_7") / pl.col("sold_28")}
    if history.has("age"):
        gaps["age_gap"] = (pl.col("age") - pl.col("buyers_age")).abs()
    if history.has("price"):
        gaps["price_gap"] = pl.col("price") / pl.col("customer_price")
    return pairs.drop("product", strict=False).with_columns(**gaps)


def _articles(recent: pl.DataFrame, people: pl.DataFrame, cutoff: int) -> pl.DataFrame:
    since = cutoff - pl.col("day")
    facts = {"price": _mean("price")} if "price" in recent.columns else {}
    if "age" in people.columns:
        # Sums of whole numbers are divided: a mean of floats would depend on the order of threads.
        aged = pl.col("age").is_not_null().sum()
        recent = recent.join(people, on="customer", how="left")
        facts["buyers_age"] = pl.when(aged > 0).then(pl.col("age").cast(pl.Int64).sum() / aged)
    return recent.group_by("article").agg(
        *((since <= days).sum().alias(f"sold_{days}") for days in WINDOWS),
        last_sold=since.min(),
        buyers=pl.col("customer").n_unique(),
        **facts,
    )


def _customers(past: pl.DataFrame, people: pl.DataFrame, cutoff: int) -> pl.DataFrame:
    since = cutoff - pl.col("day")
    facts = past.group_by("customer").agg(
        units=pl.len(),
        days=pl.col("day").n_unique(),
        articles=pl.col("article").n_unique(),
        units_28=(since <= 28).sum(),
        since=since.min(),
        **({"customer_price": _mean("price")} if "price" in past.columns else {}),
    )
    return people.join(facts, on="customer", how="left")


def _bought(past: pl.DataFrame, keys: list[str], of: str, cutoff: int) -> pl.DataFrame:
    """How often, and how many days ago, a customer bought something with these keys."""
    since = cutoff - pl.col("day").max()
    return past.drop_nulls(keys).group_by(keys).agg(pl.len().alias(f"{of}_times"), since.alias(f"{of}_since"))


def _mean(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64).sum() / pl.len()
