"""The current run's lists for the week that a new run is judged on, made without having seen that week.

A run has seen a week if its data reached into it: what it serves then was made from what customers went on to buy.
"""

import datetime
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, DataError, RunError
from hmgpu.core.parquet import read_table, scan_table
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week, day_number
from hmgpu.pipeline.config import PLACES, load_config
from hmgpu.pipeline.evaluate import LISTS, METRICS
from hmgpu.pipeline.open import run_name
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.served_tables import ARTICLES, RECOMMENDATIONS
from hmgpu.runs.run import Run
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.lookup import served

log = logging.getLogger(__name__)

REFITTED = ".refitted"
"""Folder in the folder of runs where a current run is fitted again: a killed retrain goes on there."""
How = Literal["served", "evaluated", "refitted"]


@dataclass(frozen=True)
class Opponent:
    """The lists that a new run must not fall behind."""

    lists: pl.DataFrame
    """(customer, article, rank) in the keys of today's data set."""
    how: How
    """served: what the current run gave customers, made before the week; evaluated: what it was evaluated by, in its
    validation week; refitted: its settings, fitted again on the weeks before."""


def opponent(now: Path, new: Pipeline, buyers: pl.DataFrame) -> Opponent:
    """Return the lists of the current run `now` for `buyers` (customer) of the validation week of `new`.

    Raises RunError, with the reason, where it has seen the week and can't be fitted again.
    """
    run, week, store = FinishedRun.open(now), new.weeks.validation, new.store
    if _last_day(run) < week.first_day:
        return Opponent(_served(run, buyers, store, new.engine), "served")
    evaluated = _evaluated(run, week, store, new.engine)
    if evaluated is not None:
        theirs = evaluated.join(buyers.select("customer"), on="customer", how="semi")
        if theirs["customer"].n_unique() == buyers.height:  # a data set that was ingested again may have more buyers
            return Opponent(theirs, "evaluated")
    return Opponent(_refitted(run, new), "refitted")


def _last_day(run: FinishedRun) -> int:
    """Return the last day of the data that `run` was trained on."""
    try:
        return day_number(datetime.date.fromisoformat(run.manifest["last_day"]))
    except (KeyError, TypeError, ValueError):
        raise RunError(f"the manifest of {run.folder} has no last_day") from None


def _served(run: FinishedRun, buyers: pl.DataFrame, store: Store, engine: Engine) -> pl.DataFrame:
    """Return (customer, article, rank), what `run` recommends; customers unknown to it get its best sellers."""
    ids = engine.collect(store.customer_ids().join(buyers.lazy().select("customer"), on="customer", how="semi"))
    lists, _ = served(run, ids["customer_id"].to_list())
    articles = engine.collect(store.article_ids())
    return (
        lists.join(ids, on="customer_id")
        .select("customer", article_id="articles")
        .with_columns(rank=pl.int_ranges(1, pl.col("article_id").list.len() + 1, dtype=pl.UInt32))
        .explode("article_id", "rank")
        .join(articles, on="article_id")
        .select("customer", "article", "rank")
    )


def _evaluated(run: FinishedRun, week: Week, store: Store, engine: Engine) -> pl.DataFrame | None:
    """Return (customer, article, rank) that `run` was evaluated by; None if `week` was not its validation week."""
    metrics = (run.folder / METRICS).resolve()
    if metrics.parent != run.folder / "steps" / str(week) / "evaluate":
        return None
    lists = scan_table(metrics.with_name(LISTS))
    # By id, since a data set that was ingested again may have other keys.
    for key, file in (("customer", RECOMMENDATIONS), ("article", ARTICLES)):
        theirs = scan_table(run.submitted.file(file)).select(key, f"{key}_id")
        ours = store.customer_ids() if key == "customer" else store.article_ids()
        lists = lists.join(theirs, on=key).drop(key).join(ours, on=f"{key}_id")
    return engine.collect(lists.select("customer", "article", "rank"))


def _refitted(run: FinishedRun, new: Pipeline) -> pl.DataFrame:
    """Return (customer, article, rank) by the settings of `run`, fitted without the validation week of `new`.

    With unchanged code that is the model of `run` itself, whose steps are reused as those of `new` are.
    """
    week, today = new.weeks.validation, new.config
    log.info("the current run has seen week %s: its settings are fitted on the weeks before, to be compared", week)
    places = {name: getattr(today, name) for name in PLACES} | {"runs": today.runs / REFITTED}
    try:
        theirs = load_config(run.folder / "config.yaml", places)
        # With weeks.refit, the ranker that is judged trains on the week before, too, and on no later one.
        weeks = theirs.weeks.model_copy(update={"validation": str(week.back(1))})
        config = theirs.model_copy(update={"weeks": weeks})
        folder = config.runs.resolve() / run_name(config, new.store, new.engine)
        place = Run(folder, new.engine, base=Run(run.folder, new.engine, base=new.run))
        with Pipeline(config, new.engine, new.store, place, new.workers).working() as refitted:
            metrics = refitted.judge(week)
    except (ConfigError, DataError) as error:
        first, _, _ = str(error).partition("\n")
        raise RunError(f"its settings can't be fitted any more: {first}") from None
    return read_table(metrics.with_name(LISTS)).select("customer", "article", "rank")
