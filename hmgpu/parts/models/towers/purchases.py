"""Encoded purchases that networks are trained on, one Parquet file for each week.

Each purchase is described as of the first day of its week, by the same plans that describe customers and articles in
serving.
"""

from pathlib import Path

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.models.towers.settings import EncodedTraining, SampledSoftmaxSettings
from hmgpu.parts.models.training.batches import LOG_DRAWS, SHARE, TARGET, WEEK, WEIGHT
from hmgpu.parts.models.training.held_out import bought_in
from hmgpu.parts.models.training.week_files import PurchaseFiles, write_week
from hmgpu.parts.part import FittedEncoders


def write_purchases(
    history: History, encoders: FittedEncoders, settings: EncodedTraining, folder: Path, own_codes: bool = False
) -> PurchaseFiles:
    """Write the encoded purchases of `settings.weeks` weeks, the last of which is the seven days before the cutoff.

    With `own_codes` only those of articles that sold often enough for a code of their own.

    Each week gets a file of its own, because a batch must not mix weeks: the model would recognise the article that was
    bought by its date (was it on sale by then, how did it sell) and learn nothing about taste.

    The columns are those of customers, context and articles, and

    - `target` int32: the article's key, by which accidental hits are recognised;
    - `week` int32: the first day of the week;
    - `log_draws` float32: the logarithm of how often the article is expected in a batch with its extra negatives;
    - `weight` float32: 1 in the last week, halved every `settings.half_life` weeks before it.
    """
    bought, on_sale = [], []
    for back in range(1, settings.weeks + 1):
        week = history.cutoff - DAYS * back
        rows = encoders.engine.collect(bought_in(history, week).sort("customer", "article"))
        if rows.is_empty():
            continue
        past = history.before(week)
        articles = encoders.articles(past).rename({"key": TARGET})
        predicted = articles
        if own_codes:
            predicted = articles.filter(pl.col("article") > RARE)
            rows = rows.join(predicted.select(article=TARGET), on="article", how="semi", maintain_order="left")
            if rows.is_empty():
                continue
        pool = _expected(rows, past, predicted, settings, encoders.engine)
        known = rows.lazy().select("customer").unique()
        customers = encoders.customers(past.of(known), known, articles.rename({TARGET: "key"}), settings.recent)
        encoded = (
            rows.rename({"customer": "key", "article": TARGET})
            .join(customers, on="key")
            .join(pool.drop(SHARE), on=TARGET)
            .with_columns(
                pl.lit(week, dtype=pl.Int32).alias(WEEK),
                pl.lit(0.5 ** ((back - 1) / settings.half_life), dtype=pl.Float32).alias(WEIGHT),
            )
            .sort("key", TARGET)
            .drop("key")
        )
        bought.append(write_week(encoded, folder / "bought", week))
        if _extra(settings):
            on_sale.append(write_week(pool.filter(pl.col(SHARE) > 0), folder / "on_sale", week))
    return PurchaseFiles(bought, on_sale)


def _expected(
    rows: pl.DataFrame, past: History, articles: pl.DataFrame, settings: EncodedTraining, engine: Engine
) -> pl.DataFrame:
    """Add to `articles` their `share` of the extra negatives, and `log_draws`, null if an article is never sampled."""
    sales = engine.collect(past.last(settings.on_sale).group_by(pl.col("article").alias(TARGET)).agg(sales=pl.len()))
    counts = rows.group_by(pl.col("article").alias(TARGET)).agg(draws=pl.len() * (settings.batch / rows.height))
    power = settings.extra_power if isinstance(settings, SampledSoftmaxSettings) else 0.0
    share = pl.col("sales").cast(pl.Float64).pow(power).fill_null(0.0)
    expected = pl.col("draws").fill_null(0.0) + _extra(settings) * pl.col(SHARE)
    return (
        articles.join(sales, on=TARGET, how="left")
        .join(counts, on=TARGET, how="left")
        .with_columns((share / share.sum()).alias(SHARE))
        .with_columns(pl.when(expected > 0).then(expected.log()).cast(pl.Float32).alias(LOG_DRAWS))
        .with_columns(pl.col(SHARE).cast(pl.Float32))
        .drop("sales", "draws")
        .sort(TARGET)
    )


def _extra(settings: EncodedTraining) -> int:
    """Return the extra negatives of each batch."""
    return settings.extra if isinstance(settings, SampledSoftmaxSettings) else 0
