"""Purchases of each week, next to what their customers had bought before and to negatives that samplers drew."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.baskets.settings import TargetSettings
from hmgpu.parts.models.baskets.targets import TargetWeek, target_weeks
from hmgpu.parts.models.training.week_files import write_week
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek
from hmgpu.parts.part import PartContext

NEGATIVES = "negatives"


def write_sampled(
    history: History,
    articles: pl.DataFrame,
    settings: TargetSettings,
    samplers: Sequence[NegativeSampler],
    context: PartContext,
    folder: Path,
) -> list[Path]:
    """Write the purchases of the last weeks, one file a week, and return the files.

    The columns are those of `targets.TargetWeek` without keys, and `negatives`: the places of articles that the
    samplers drew for the customer, who did not buy them in the week. Purchases without any are left out.

    Args:
        articles: (article, place) that the network knows; nothing else is bought or sampled.
    """
    files = []
    for week in target_weeks(history, articles, settings, context.engine):
        drawn = _negatives(history, week, samplers, context).join(articles, on="article")
        lists = (
            drawn.sort("customer", "place")
            .group_by("customer", maintain_order=True)
            .agg(pl.col("place").alias(NEGATIVES))
        )
        rows = week.bought.join(lists, on="customer", maintain_order="left").drop("customer", "article")
        if rows.height:
            files.append(write_week(rows, folder / "bought", week.first_day))
    return files


def _negatives(
    history: History, week: TargetWeek, samplers: Sequence[NegativeSampler], context: PartContext
) -> pl.DataFrame:
    """Return the sampled (customer, article)."""
    within = pl.col("day").is_between(week.first_day, week.first_day + DAYS - 1)
    sold = history.transactions.filter(within).select("day", "customer", "article")
    bought = week.bought.lazy().select("customer", "article")
    asked = TrainingWeek(bought.filter(pl.lit(False)), bought, sold, week.past, context.seed)
    sampled = pl.concat([each.draw(asked).select("customer", "article") for each in samplers]).unique()
    return context.engine.collect(sampled.join(sold, on=["customer", "article"], how="anti"))
