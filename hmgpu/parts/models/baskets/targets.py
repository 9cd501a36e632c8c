"""What was bought in each of the last weeks, next to what its customer had bought before, and what else was on sale."""

from pathlib import Path

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.baskets.baskets import baskets
from hmgpu.parts.models.baskets.settings import NeuMFSettings
from hmgpu.parts.models.training.batches import SHARE, TARGET, WEEK
from hmgpu.parts.models.training.held_out import bought_in
from hmgpu.parts.models.training.week_files import PurchaseFiles, write_week


def write_targets(
    history: History, articles: pl.DataFrame, settings: NeuMFSettings, engine: Engine, folder: Path
) -> PurchaseFiles:
    """Write the purchases of the last `settings.weeks` weeks, and what was on sale; one file a week, of its first day.

    The columns of purchases are `basket`, the places of what the customer had bought before the week; `target` int32,
    the place of the article; and `week` int32. What is on sale has `target`, and `share` float32 of the negatives. Only
    articles that had been sold before the week count.

    Args:
        articles: (article, place) that the network knows.
    """
    files = PurchaseFiles([], [])
    places = articles.lazy().rename({"place": TARGET})
    for back in range(1, settings.weeks + 1):
        week = history.cutoff - DAYS * back
        past = history.before(week)
        rows = engine.collect(bought_in(history, week).join(places, on="article").sort("customer", "article"))
        sales = past.last(settings.on_sale).group_by("article").agg(sales=pl.len()).join(places, on="article")
        selling = engine.collect(sales.sort("article"))
        if rows.is_empty() or selling.is_empty():
            continue
        lists = baskets(past.of(rows.lazy().select("customer").unique()), articles, settings.days, engine)
        rows = rows.join(lists, on="customer", how="left", maintain_order="left").drop("customer", "article")
        share = pl.col("sales").cast(pl.Float64).pow(settings.power)
        pool = selling.select(TARGET, (share / share.sum()).cast(pl.Float32).alias(SHARE))
        dated = rows.with_columns(pl.lit(week, dtype=pl.Int32).alias(WEEK))
        files.bought.append(write_week(dated, folder / "bought", week))
        files.on_sale.append(write_week(pool, folder / "on_sale", week))
    return files
