"""Measure a shop's rhythm: how soon customers buy again, how fast best sellers turn over, how large baskets are.

Measured in the last weeks before everything that a run learns from, so no week that it is fitted or scored on decides a
setting of what is learned for it. Only the number of training weeks has to be chosen before they are known: it comes
from the weeks before the four that are always trained on.
"""

import json
import logging
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.files import write_json
from hmgpu.core.plans import ONE, decayed, ranked, sample, top_n
from hmgpu.data.store import Store
from hmgpu.data.weeks import DAYS, Week
from hmgpu.parts.auto import Rhythm
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.schedule import Schedule, most_training_weeks, validation_week
from hmgpu.runs.run import Run

log = logging.getLogger(__name__)

SEEN, WEEKS, BUYERS = 20_000, 26, 5_000  # purchases that are looked at, from how many weeks at most, by how many buyers
REPEATS = (3.0, 7.0, 14.0, 30.0, 60.0, 120.0, 240.0)  # half-lives in days that are tried
TURNOVER = (1.0, 2.0, 4.0, 7.0, 14.0, 28.0, 56.0)
SEASON = 182  # days of sales that the longest of these half-lives looks back on
NEXT, BEST = 50, 100  # best sellers by which half-lives are compared, and that count as recalled
HELD = 0.9  # share of the repeats that the first places must hold
ENOUGH = 20_000  # purchases to learn from
LEAST, MOST = 4, 52  # training weeks
FILE = "rhythm.json"


def measured(config: Config, store: Store, engine: Engine, run: Run | None = None) -> Config:
    """Return `config` with a number for every setting that is `auto`; they are in the log and in the run's manifest.

    Where the data are too short to measure anything, the defaults hold.

    Args:
        run: keeps what was measured before a week as a step, which is reused like any other; None measures anyway.
    """
    waiting = [*config.waiting()]
    if not waiting:
        return config
    measuring = partial(measure, store, engine=engine) if run is None else partial(_step, run, store, engine)
    rhythm_before = cache(measuring)  # with four weeks, both questions are one
    scheduled = config
    if "train" in config.weeks.auto:
        weeks = config.weeks.model_copy(update={"train": _training_weeks(config, store, rhythm_before)})
        scheduled = config.model_copy(update={"weeks": weeks})
    oldest = Schedule.of(scheduled, store).oldest
    rhythm = rhythm_before(oldest)
    if rhythm is None:
        log.warning("%s: nothing can be measured before %s, so the defaults hold", ", ".join(waiting), oldest)
    else:
        rhythm = replace(rhythm, weeks=scheduled.weeks.train, k=config.lists.k)
    found = scheduled.measured(rhythm).instead_of(config)
    keeps, k = found.ranker.keeps, config.lists.k
    if keeps is not None and keeps < k:
        raise ConfigError(
            f"ranker.keep is auto, which is {keeps} here, but lists have {k} articles: set it to a number."
        )
    log.info("auto: %s", ", ".join(f"{place}={value:g}" for place, value in found.found.items()))
    return found


def _training_weeks(config: Config, store: Store, rhythm_before: Callable[[Week], Rhythm | None]) -> int:
    """Return how many weeks hold enough purchases to learn from; at most half of the weeks there are."""
    validation = validation_week(config, store)
    fit = most_training_weeks(config, store, validation)
    most = min(MOST, max(min(LEAST, fit), fit // 2))
    rhythm = rhythm_before(validation.back(LEAST)) if most > LEAST else None
    if rhythm is None:
        return max(1, most)
    return min(most, max(LEAST, math.ceil(ENOUGH / max(1.0, rhythm.recalled_a_week))))


def _step(run: Run, store: Store, engine: Engine, before: Week) -> Rhythm | None:
    """Return the rhythm before a week from the step of `run`; a dry run, which writes none, measures it itself."""

    def write(folder: Path) -> None:
        found = measure(store, before, engine)
        write_json(folder / FILE, asdict(found) if found else None)

    file = run.step(f"{before}/rhythm", {}, [store.digest_before(before.first_day)], write).folder / FILE
    if not file.exists():
        return measure(store, before, engine)
    found = json.loads(file.read_text())
    return Rhythm(**found) if found else None


def measure(store: Store, before: Week, engine: Engine) -> Rhythm | None:
    """Return the shop's rhythm in the last weeks before `before`; None where no week there follows another."""
    seen = _seen(store, before, engine)
    if seen is None:
        return None
    repeats = {days: seen.repeats(days) for days in REPEATS}
    repeat = max(REPEATS, key=lambda days: ((1 / repeats[days]["rank"].sort()).sum(), -days))
    places = _holding(repeats[repeat]["rank"])
    best = {days: seen.among_best(days) for days in TURNOVER}
    turnover = max(TURNOVER, key=lambda days: (best[days].filter(pl.col("rank") <= NEXT).height, -days))
    first = repeats[repeat].filter(pl.col("rank") <= places)
    recalled = pl.concat([each.drop("rank") for each in (first, best[turnover])]).unique().height
    return Rhythm(
        repeat_half_life=repeat,
        repeat_places=places,
        turnover_half_life=turnover,
        basket=seen.bought.height / seen.bought.select("week", "customer").n_unique(),
        purchases_a_day=seen.units_a_week / DAYS,
        recalled_a_week=seen.pairs_a_week * recalled / seen.bought.height,
        weeks=LEAST,
    )


@dataclass(frozen=True)
class _Seen:
    """The weeks that are measured in, each known by its first day. Days before it are as if it began at `cutoff`."""

    engine: Engine
    cutoff: int
    bought: pl.DataFrame
    """(week, customer, article): what a sample of each week's buyers bought in it, each once."""
    past: pl.DataFrame
    """(week, day, customer, article): what these buyers had bought before."""
    sales: pl.DataFrame
    """(week, day, article, units): what all customers had bought in the season before."""
    pairs_a_week: float
    """Purchases of all buyers, as in `bought`."""
    units_a_week: float

    def repeats(self, half_life: float) -> pl.DataFrame:
        """Return (week, customer, article, rank) of what was bought again: its place among the customer's own articles.

        These are ranked by purchases decayed by time.
        """
        own = self.past.lazy().group_by("week", "customer", "article").agg(score=decayed(self.cutoff, half_life).sum())
        found = ranked(own, by=["week", "customer"]).join(self.bought.lazy(), on=["week", "customer", "article"])
        return self.engine.collect(found.select("week", "customer", "article", "rank"), fits=True)

    def among_best(self, half_life: float) -> pl.DataFrame:
        """Return (week, customer, article, rank) of what was bought of the best sellers, by sales decayed by time."""
        # A weight is at most ONE and the days, below 2^21: the sum over fewer than 2^31 units stays below 2^52.
        weight = decayed(self.cutoff, half_life, SEASON, ONE) * pl.col("units")
        sold = self.sales.lazy().group_by("week", "article").agg(score=weight.sum())
        best = top_n(sold, BEST, by="week").select("week", "article", "rank")
        return self.engine.collect(self.bought.lazy().join(best, on=["week", "article"]), fits=True)


def _seen(store: Store, before: Week, engine: Engine) -> _Seen | None:
    """Return the last weeks before `before` that together hold enough purchases to measure by."""
    cutoff, history = before.first_day, store.as_of(before.first_day)
    most = min(WEEKS, (cutoff - store.manifest.first_day) // DAYS - 1)  # a week that no other precedes has no past
    if most < 1:
        return None
    week = cutoff - DAYS * ((cutoff - 1 - pl.col("day")) // DAYS + 1)
    recent = history.last(DAYS * most).select("customer", "article", week=week)
    pairs = recent.unique().group_by("week").agg(pairs=pl.len(), buyers=pl.col("customer").n_unique())
    units = recent.group_by("week").agg(units=pl.len())
    weeks = engine.collect(pairs.join(units, on="week")).sort("week", descending=True)
    sampled = pl.col("pairs") * pl.min_horizontal(1.0, BUYERS / pl.col("buyers"))
    weeks = weeks.filter(sampled.cum_sum() - sampled < SEEN)
    if weeks.is_empty():
        return None
    oldest, pairs_a_week, units_a_week = weeks.select(pl.col("week").min(), pl.col("pairs", "units").mean()).row(0)
    labels = engine.collect(recent.filter(pl.col("week") >= oldest).unique(), fits=True)
    buyers = pl.concat(
        sample(of_week.select("customer").unique(), BUYERS, first).with_columns(week=pl.lit(first, pl.Int32))
        for (first,), of_week in labels.partition_by("week", as_dict=True).items()
    )
    day = pl.col("day") - pl.col("week") + cutoff
    past = history.transactions.join(buyers.lazy(), on="customer").with_columns(day=day).filter(pl.col("day") < cutoff)
    season = history.last(SEASON + cutoff - oldest)
    sales = season.group_by("day", "article").agg(units=pl.len().cast(pl.Int64))  # fewer than 2^31
    sales = sales.join(weeks.lazy().select("week"), how="cross").with_columns(day=day)
    return _Seen(
        engine,
        cutoff,
        labels.join(buyers, on=["week", "customer"], how="semi").select("week", "customer", "article"),
        engine.collect(past.select("week", "day", "customer", "article")),
        engine.collect(sales.filter(pl.col("day").is_between(cutoff - SEASON, cutoff - 1))),
        pairs_a_week,
        units_a_week,
    )


def _holding(places: pl.Series) -> int:
    """Return the first places that hold the share `HELD` of all; 1 where there are none."""
    return places.sort()[math.ceil(HELD * len(places)) - 1] if len(places) else 1
