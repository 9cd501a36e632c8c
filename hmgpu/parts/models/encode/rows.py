"""Raw rows for the workflows, as plans: what is known about customers, articles and the moment at a History's cutoff.

A training example of an earlier week is described by the same plans, over the History of that week's first day.
"""

import polars as pl

from hmgpu.core.plans import top_n
from hmgpu.data.store import History
from hmgpu.parts.models.encode.columns import OF_CUSTOMERS, Encoding, Side, columns

UNKNOWN = -1  # a missing code: an ordinary category, so that a column has one dtype with and without missing values
CHANNELS = 128  # more channels than there can be, since a channel is an int8
LATE = 28  # days before the cutoff whose mean price is an article's price


def customer_rows(history: History) -> pl.LazyFrame:
    """Return (key, …), one row for each customer: profile, habits up to the cutoff, and the context columns."""
    age = history.cutoff - pl.col("day")
    facts = [pl.len().cast(pl.Float32).alias("units"), age.min().alias("days_since")]
    if history.has("price"):
        facts.append((pl.col("price").cast(pl.Int64).sum() / pl.len()).alias("price_level"))
    if history.has("channel"):
        facts.append(((pl.col("channel") == 0).sum() / pl.len()).alias("first_channel"))
        # The channel of the latest day; if there are several on it, the last in the list of channels.
        facts.append((pl.col("day") * CHANNELS + pl.col("channel")).max().alias("latest"))
    habits = history.transactions.group_by("customer").agg(*facts)
    known = history.customers.join(habits, on="customer", how="left").with_columns(pl.col("units").fill_null(0.0))
    if history.has("channel"):
        known = known.with_columns(channel=pl.col("latest") % CHANNELS)
    known = known.with_columns(week_of_year=_week_of_year(pl.lit(history.cutoff, dtype=pl.Int32)))
    return _plain(known, "customer", history, *OF_CUSTOMERS)


def article_rows(history: History) -> pl.LazyFrame:
    """Return (key, …), one row for each article that has been sold before: attributes, price, age and sales."""
    age = history.cutoff - pl.col("day")
    late = age <= LATE
    facts = [(age <= days).sum().cast(pl.Float32).alias(f"sales_{days}") for days in (7, 28)]
    if history.has("price"):
        paid = pl.col("price").cast(pl.Int64)
        mean_of_late = pl.when(late).then(paid).otherwise(0).sum() / late.sum()
        # An article that has not sold lately keeps its mean price: without one, it would get the median of all.
        facts.append(pl.when(late.sum() > 0).then(mean_of_late).otherwise(paid.sum() / pl.len()).alias("price"))
    sold = history.transactions.group_by("article").agg(*facts)
    known = history.articles.join(sold, on="article", how="left")
    known = known.with_columns(days_on_sale=history.cutoff - pl.col("first_day"))
    return _plain(known, "article", history, "article")


def context_rows(history: History) -> pl.LazyFrame:
    """Return (key: a day, week_of_year, channel) of every day and channel of the past, to fit the context on."""
    keys = ["day", "channel"] if history.has("channel") else ["day"]
    past = history.transactions.select(keys).unique().with_columns(week_of_year=_week_of_year(pl.col("day")))
    return _plain(past, "day", history, "context")


def fitting_rows(history: History, days: int) -> dict[Side, pl.LazyFrame]:
    """Return the rows that each side's workflow is fitted on: purchases of the last `days` days, or the whole past.

    Customers and articles get one row for each purchase, the context its whole past. Sorted by key, since sums of
    floats depend on the order of rows; that is enough, because all rows of one key are the same.
    """
    bought = history.last(days)
    plans: dict[Side, pl.LazyFrame] = {
        "customer": bought.select(key="customer").join(customer_rows(history), on="key"),
        "article": bought.select(key="article").join(article_rows(history), on="key"),
        "context": context_rows(history),
    }
    return {side: plan.select("key", *_raw(history, side)).sort("key") for side, plan in plans.items()}


def latest_rows(history: History, customers: pl.LazyFrame, n: int) -> pl.LazyFrame:
    """Return (customer, rank, key: an article): the `n` articles that each customer bought last, newest first."""
    bought = history.transactions.join(customers, on="customer", how="semi")
    last = bought.group_by("customer", "article").agg(day=pl.col("day").max())
    return top_n(last, n, by="customer", score="day").select("customer", "rank", key="article")


def _week_of_year(day: pl.Expr) -> pl.Expr:
    """Return the week of the year, 0..52, by arithmetic: 1970-01-01 starts week 0, and a year has 365.25 days."""
    return ((day.cast(pl.Float64) % 365.25) / 7).floor().cast(pl.Int32)


def _plain(rows: pl.LazyFrame, key: str, history: History, *sides: Side) -> pl.LazyFrame:
    """Select `key` and the columns of `sides`: codes as int32 without nulls, numbers as float32."""
    wanted = [
        pl.col(name).fill_null(UNKNOWN).cast(pl.Int32) if encoding == "category" else pl.col(name).cast(pl.Float32)
        for name, encoding in _raw(history, *sides).items()
    ]
    return rows.select(pl.col(key).alias("key"), *wanted)


def _raw(history: History, *sides: Side) -> dict[str, Encoding]:
    """Return the columns of `sides` that rows have, and how each is encoded; the workflow computes the ratios."""
    chosen = [column for side in sides for column in columns(side, history.present)]
    return {column.name: column.encoding for column in chosen if column.encoding != "ratio"}
