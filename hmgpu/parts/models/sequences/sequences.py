"""Customers' purchases as sequences in which nothing sees what it is to predict, and the files of them for training.

A sequence is a customer's latest purchases in order of days. Before those of one day stands a question, which asks what
is bought on that day; in serving, one more asks for the cutoff. Attention is causal, and the questions alone are
answered: so an answer knows the customer's purchases of earlier days and none of its own day.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.plans import top_n
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.sequences.settings import SASRecSettings

PLACES, SEQUENCE_DAYS, BAND, SINCE = "places", "days", "band", "since"
"""Columns of sequences."""
QUESTION = 0
"""The place of what is not an article; articles have their places from 1 on."""
BANDS = 14
"""Bands of ten years of age, the first of them for customers whose age isn't known."""
SHORTEST = 8
AT_ONCE = 65_536  # customers whose sequences are in memory at once


def width_of(longest: int) -> int:
    """Return the width to which sequences are padded: the next power of two, at least 8."""
    return max(SHORTEST, 1 << (longest - 1).bit_length())


def by_width(rows: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield `rows` (places, …) apart by the width to which they are padded, in their order."""
    length = rows[PLACES].list.len()
    widths = pl.Series([width_of(longest) for longest in length], dtype=pl.Int64)
    for width in widths.unique().sort():
        yield width, rows.filter(widths == width)


def events(history: History, articles: pl.LazyFrame, recent: int, asking: bool) -> pl.LazyFrame:
    """Return (customer, day, place), all int32: the entries of all sequences in order.

    Args:
        history: of these customers alone.
        articles: (article, place, …).
        recent: the latest purchases that count, each article once a day.
        asking: whether to ask for the cutoff too, and so of every customer.
    """
    bought = history.transactions.select("customer", "day", "article").unique()
    latest = top_n(bought, recent, by="customer", score="day").join(articles, on="article")
    asked = [latest.select("customer", "day").unique()]
    if asking:
        asked.append(history.customers.select("customer", day=pl.lit(history.cutoff, dtype=pl.Int32)))
    question = pl.lit(QUESTION, dtype=pl.Int32).alias("place")
    entries = [latest.select("customer", "day", "place"), *(days.with_columns(question) for days in asked)]
    return pl.concat(entries).sort("customer", "day", "place")


def sequences(history: History, articles: pl.DataFrame, recent: int, engine: Engine, asking: bool) -> pl.DataFrame:
    """Return one row for each customer of `history` who has a sequence, sorted by customer.

    The columns are `customer` int32, the lists of int32 `places` (0 for a question) and `days`, `band` int32 of the
    customer's age, and `since` int32: the first day whose question has nothing cut off before it. See `events`.
    """
    rows = engine.collect(events(history, articles.lazy(), recent, asking))
    lists = rows.group_by("customer", maintain_order=True).agg(
        pl.col("place").alias(PLACES), pl.col("day").alias(SEQUENCE_DAYS)
    )
    begun = engine.collect(history.transactions.group_by("customer").agg(begun=pl.col("day").min()))
    age = "age" if history.has("age") else pl.lit(None, dtype=pl.Int16).alias("age")
    known = engine.collect(history.customers.select("customer", age)).join(begun, on="customer", how="left")
    band, first = pl.col("age").cast(pl.Int32) // 10 + 1, pl.col(SEQUENCE_DAYS).list.first()
    return (
        lists.join(known, on="customer", how="left", maintain_order="left")
        .with_columns(
            band.fill_null(0).clip(0, BANDS - 1).alias(BAND),
            (first + (first > pl.col("begun")).fill_null(False).cast(pl.Int32)).alias(SINCE),
        )
        .drop("age", "begun")
    )


def write_sequences(
    history: History, articles: pl.DataFrame, settings: SASRecSettings, engine: Engine, folder: Path
) -> list[Path]:
    """Write the sequences of those who bought in the last `settings.weeks` weeks, and return the files.

    Each file has sequences of one width, so that a batch has little padding. `since` is the first day whose purchases
    are predicted: of these weeks, and with nothing cut off before it.
    """
    first = history.cutoff - DAYS * settings.weeks
    buyers = engine.collect(history.last(DAYS * settings.weeks).select("customer").unique().sort("customer"))
    files: list[Path] = []
    folder.mkdir(parents=True, exist_ok=True)
    for some in buyers.iter_slices(AT_ONCE):
        rows = sequences(history.of(some), articles, settings.recent, engine, asking=False)
        rows = rows.with_columns(pl.max_horizontal(SINCE, pl.lit(first, dtype=pl.Int32)).alias(SINCE))
        predicted = rows.filter(pl.col(SEQUENCE_DAYS).list.last() >= pl.col(SINCE)).drop("customer")
        for _, same in by_width(predicted):
            files.append(folder / f"{len(files):05}.parquet")
            same.write_parquet(files[-1])
    return files
