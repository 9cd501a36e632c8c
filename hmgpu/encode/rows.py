"""Raw rows for the workflows, as plans: what is known of customers, articles and the moment at a History's cutoff.

A training example of an earlier week is described by the very same plans, over the History of that week's first day.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.encode.columns import OF_CUSTOMERS, SIDES, columns
from hmgpu.plans import top_n

UNKNOWN = -1  # a missing code: an ordinary category, so that a column has one dtype with and without missing values


def customer_rows(history: History) -> pl.LazyFrame:
    """(customer, …) one row a customer: key, profile, habits up to the cutoff, and the context columns."""
    age = history.cutoff - pl.col("day")
    facts = [pl.len().cast(pl.Float32).alias("units"), age.min().cast(pl.Float32).alias("days_since")]
    if history.has("price"):
        paid = pl.col("price").cast(pl.Int64).sum() / pl.len()
        facts.append(paid.cast(pl.Float32).alias("price_level"))
    if history.has("channel"):
        facts.append(((pl.col("channel") == 0).sum() / pl.len()).cast(pl.Float32).alias("first_channel"))
    habits = history.transactions.group_by("customer").agg(*facts)
    known = history.customers.join(habits, on="customer", how="left").with_columns(pl.col("units").fill_null(0.0))
    if history.has("channel"):
        # The channel of the latest day; of both on one day, the later in the list of channels.
        latest = history.transactions.group_by("customer").agg(last=(pl.col("day") * 8 + pl.col("channel")).max())
        known = known.join(latest, on="customer", how="left").with_columns(channel=pl.col("last") % 8)
    known = known.with_columns(week_of_year=_week_of_year(pl.lit(history.cutoff, dtype=pl.Int32)))
    names = [c.name for side in OF_CUSTOMERS for c in columns(side, history.present)]
    return _plain(known, "customer", names, history)


def article_rows(history: History) -> pl.LazyFrame:
    """(article, …) one row an article that has been sold before: key, attributes, price, age and sales."""
    age = history.cutoff - pl.col("day")
    facts = [(age <= days).sum().cast(pl.Float32).alias(f"sales_{days}") for days in (7, 28)]
    if history.has("price"):
        facts.append((pl.col("price").cast(pl.Int64).sum() / pl.len()).cast(pl.Float32).alias("price"))
    # Prices and sales of late: an article that has not sold for 28 days has no price, which the workflow fills.
    late = history.last(28).group_by("article").agg(*facts)
    born = history.cutoff - pl.col("first_day")
    known = history.articles.with_columns(days_on_sale=born.cast(pl.Float32)).join(late, on="article", how="left")
    known = known.with_columns(pl.col("sales_7", "sales_28").fill_null(0.0))
    names = [c.name for c in columns("article", history.present) if c.name != "type_price"]
    return _plain(known, "article", names, history)


def context_rows(history: History) -> pl.LazyFrame:
    """(week_of_year, channel) of every day and channel of the past: what the context's codes are fitted on."""
    names = [c.name for c in columns("context", history.present)]
    keys = ["day", "channel"] if "channel" in names else ["day"]
    past = history.transactions.select(keys).unique().with_columns(week_of_year=_week_of_year(pl.col("day")))
    return past.select("day", *(pl.col(name).cast(pl.Int32) for name in names))


def latest_rows(history: History, customers: pl.LazyFrame, n: int) -> pl.LazyFrame:
    """(customer, rank, article) the `n` articles that each customer bought last, newest first."""
    bought = history.transactions.join(customers, on="customer", how="semi")
    last = bought.group_by("customer", "article").agg(day=pl.col("day").max())
    return top_n(last, n, by="customer", score="day").select("customer", "rank", key="article")


def _week_of_year(day: pl.Expr) -> pl.Expr:
    """0..52, by plain arithmetic: 1970-01-01 starts week 0, and a year has 365.25 days."""
    return ((day.cast(pl.Float64) % 365.25) / 7).floor().cast(pl.Int32)


def _plain(rows: pl.LazyFrame, key: str, names: list[str], history: History) -> pl.LazyFrame:
    """`key` and the named columns: codes as int32 without nulls, numbers as float32."""
    sides = [c for side in SIDES for c in columns(side, history.present)]
    categories = {column.name for column in sides if column.encoding == "category"}
    wanted = [
        pl.col(name).fill_null(UNKNOWN).cast(pl.Int32) if name in categories else pl.col(name).cast(pl.Float32)
        for name in names
    ]
    return rows.select(pl.col(key).alias("key"), *wanted)
