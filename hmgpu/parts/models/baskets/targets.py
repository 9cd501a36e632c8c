"""What was bought in each of the last weeks, next to what its customer had bought before, and what else was on sale."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.baskets.baskets import BASKET, baskets
from hmgpu.parts.models.baskets.settings import NeuMFSettings, TargetSettings
from hmgpu.parts.models.training.batches import SHARE, TARGET, WEEK
from hmgpu.parts.models.training.held_out import bought_in
from hmgpu.parts.models.training.week_files import PurchaseFiles, write_week


class TargetWeek(NamedTuple):
    """What was bought in a week."""

    first_day: int
    past: History
    """What was known before the week."""
    bought: pl.DataFrame
    """(customer, article, `basket`, `target` int32, `week` int32), sorted: purchases of articles that had been sold
    before the week. The basket is the places of what the customer had bought before it, the target the article's."""


def target_weeks(
    history: History, articles: pl.DataFrame, settings: TargetSettings, engine: Engine
) -> Iterator[TargetWeek]:
    """Yield the last `settings.weeks` weeks in which one of `articles` (article, place) was bought, the last first."""
    places = articles.lazy().rename({"place": TARGET})
    for back in range(1, settings.weeks + 1):
        week = history.cutoff - DAYS * back
        past = history.before(week)
        rows = engine.collect(bought_in(history, week).join(places, on="article").sort("customer", "article"))
        if rows.is_empty():
            continue
        lists = baskets(past.of(rows.lazy().select("customer").unique()), articles, settings.days, engine)
        told = rows.join(lists, on="customer", how="left", maintain_order="left")
        dated = told.with_columns(pl.lit(week, dtype=pl.Int32).alias(WEEK))
        yield TargetWeek(week, past, dated.select("customer", "article", BASKET, TARGET, WEEK))


def write_targets(
    history: History, articles: pl.DataFrame, settings: NeuMFSettings, engine: Engine, folder: Path
) -> PurchaseFiles:
    """Write the purchases of the last weeks (see `TargetWeek`, without keys), and what was on sale; one file a week.

    What is on sale has `target`, and `share` float32 of the negatives.

    Args:
        articles: (article, place) that the network knows.
    """
    files = PurchaseFiles([], [])
    places = articles.lazy().rename({"place": TARGET})
    for week in target_weeks(history, articles, settings, engine):
        sales = week.past.last(settings.on_sale).group_by("article").agg(sales=pl.len()).join(places, on="article")
        selling = engine.collect(sales.sort("article"))
        if selling.is_empty():
            continue
        share = pl.col("sales").cast(pl.Float64).pow(settings.power)
        pool = selling.select(TARGET, (share / share.sum()).cast(pl.Float32).alias(SHARE))
        files.bought.append(write_week(week.bought.drop("customer", "article"), folder / "bought", week.first_day))
        files.on_sale.append(write_week(pool, folder / "on_sale", week.first_day))
    return files
