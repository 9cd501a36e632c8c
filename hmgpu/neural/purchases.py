"""Encoded purchases: what the towers are trained on, one Parquet file a week, and Merlin's loader over them.

Each purchase is described as of the first day of the week that it was made in, by the plans that describe customers and
articles when they are served.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.encode.workflow import Encoders

TARGET, LOG_DRAWS, WEIGHT = "target", "log_draws", "weight"


def bought_in(history: History, week: int) -> pl.LazyFrame:
    """(customer, article) of the seven days from day `week` on, each once; of articles that had been sold before."""
    inside = history.transactions.filter(pl.col("day").is_between(week, week + DAYS - 1))
    known = history.before(week).articles.select("article")
    return inside.select("customer", "article").unique().join(known, on="article", how="semi")


def write_purchases(
    history: History, weeks: Sequence[int], encoders: Encoders, recent: int, half_life: float, batch: int, folder: Path
) -> list[Path]:
    """Writes the encoded purchases of each week that begins on one of the days `weeks`; returns the files.

    A file for each week, because a batch must not mix weeks: else the model tells the article that was bought from the
    others by its date (was it on sale by then, how did it sell) and learns nothing of taste.

    Columns are those of customers, context and articles, and

    - `target` int32: the article's key, by which accidental hits are recognised;
    - `log_draws` float32: the logarithm of how often the article is expected in a batch of `batch` purchases;
    - `weight` float32: halves every `half_life` weeks before the cutoff.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for week in weeks:
        rows = encoders.engine.collect(bought_in(history, week).sort("customer", "article"))
        if rows.is_empty():
            continue
        past = history.before(week)
        articles = encoders.articles(past)
        customers = encoders.customers(past, rows.lazy().select("customer").unique(), articles, recent)
        age = (history.cutoff - week) / DAYS - 1
        expected = pl.len().over(TARGET) * (batch / rows.height)
        encoded = (
            rows.rename({"customer": "customer_key", "article": TARGET})
            .with_columns(
                expected.log().cast(pl.Float32).alias(LOG_DRAWS),
                pl.lit(0.5 ** (age / half_life), dtype=pl.Float32).alias(WEIGHT),
            )
            .join(customers, left_on="customer_key", right_on="key")
            .join(articles, left_on=TARGET, right_on="key")
            .sort("customer_key", TARGET)
            .drop("customer_key")
        )
        files.append(folder / f"{week}.parquet")
        encoded.write_parquet(files[-1])
    return files
