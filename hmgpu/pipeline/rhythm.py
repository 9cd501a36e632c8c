"""Measure a shop's rhythm: how soon customers buy again, how fast best sellers turn over, how large baskets are.

Measured in the last weeks before everything that a run learns from, so no week that it is fitted or scored on decides a
setting of what is learned for it. Only the number of training weeks has to be chosen before they are known: it comes
from the weeks before the four that are always trained on.
"""

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, partial
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

    def write(folder: Path) -> Mapping[str, int]:
        found = measure(store, before, engine)
        write_json(folder / FILE, asdict(found) if found else None)
        return {}

    file = run.step(f"{before}/rhythm", {}, [store.digest_before(before.first_day)], write).folder / FILE
    if not file.exists():
        return measure(store, before, engine)
    found = json.loads(file.read_text())
    return Rhythm(**found) if found else None


def measure(store: Store, before: Week, engine: Engine) -> Rhythm | None:
    """Return the shop's rhythm in the last weeks before `before`; None where no week there follows another."""
    seen = [*_seen(store, before, engine)]
    if not seen:
        return None
    turnover = max(TURNOVER, key=lambda days: (sum(week.next_held(days) for week in seen), -days))
    repeats = {days: [place for week in seen for place in week.repeat_places(days)] for days in REPEATS}
    repeat = max(REPEATS, key=lambda days: (sum(1 / place for place in repeats[days]), -days))
    places = _holding(repeats[repeat])
    pairs = sum(week.pairs for week in seen) / len(seen)
    recalled = sum(week.recalled(repeat, places, turnover) for week in seen) / sum(week.bought.height for week in seen)
    return Rhythm(
        repeat_half_life=repeat,
        repeat_places=places,
        turnover_half_life=turnover,
        basket=sum(week.bought.height for week in seen) / sum(week.bought["customer"].n_unique() for week in seen),
        purchases_a_day=sum(week.units for week in seen) / len(seen) / DAYS,
        recalled_a_week=recalled * pairs,
        weeks=LEAST,
    )


def _seen(store: Store, before: Week, engine: Engine) -> Iterator["_Seen"]:
    """Yield the weeks before `before`, the latest first, that together hold enough purchases to measure by."""
    pairs = 0
    for back in range(1, WEEKS + 1):
        week = before.back(back)
        if week.first_day - DAYS < store.manifest.first_day or pairs >= SEEN:
            return
        found = _Seen.of(store, week, engine)
        if found is not None:
            pairs += found.bought.height
            yield found


@dataclass(frozen=True)
class _Seen:
    """What is measured in one week."""

    engine: Engine
    cutoff: int
    bought: pl.DataFrame
    """(customer, article): what a sample of the buyers bought in the week, each once."""
    past: pl.DataFrame
    """(day, customer, article): what these buyers had bought before."""
    sales: pl.DataFrame
    """(day, article, units): what all customers had bought in the season before."""
    pairs: int
    """Purchases of all buyers in the week, as in `bought`."""
    units: int
    """Units that all buyers bought in the week."""

    @staticmethod
    def of(store: Store, week: Week, engine: Engine) -> "_Seen | None":
        """Return what is measured in `week`; None where nobody bought anything."""
        labels = engine.collect(store.sold_in(week))
        if labels.is_empty():
            return None
        buyers = sample(labels.select("customer").unique(), BUYERS, week.first_day)
        history = store.as_of(week.first_day)
        past = history.of(buyers.lazy()).transactions.select("day", "customer", "article")
        units = pl.len().cast(pl.Int64).alias("units")  # fewer than 2^31
        sales = history.last(SEASON).group_by("day", "article").agg(units)
        return _Seen(
            engine,
            week.first_day,
            labels.join(buyers, on="customer", how="semi"),
            engine.collect(past),
            engine.collect(sales),
            labels.height,
            engine.collect(store.purchases_in(week).select(pl.len())).item(),
        )

    def repeat_places(self, half_life: float) -> list[int]:
        """Return the places that what was bought again has among own past articles, by purchases decayed by time."""
        return self._repeats.filter(half_life=half_life)["rank"].to_list()

    def next_held(self, half_life: float) -> float:
        """Return the share of what was bought that the best sellers hold, by sales decayed by time."""
        return self._among_best(half_life, NEXT).height / self.bought.height

    def recalled(self, repeat: float, places: int, turnover: float) -> int:
        """Return how many purchases are among the first own past articles or the best sellers."""
        again = self._repeats.filter(pl.col("rank") <= places, half_life=repeat)
        best = self._among_best(turnover, BEST)
        return pl.concat([again.select(best.columns), best]).unique().height

    def _among_best(self, half_life: float, n: int) -> pl.DataFrame:
        best = self._best.filter(pl.col("rank") <= n, half_life=half_life)
        return self.bought.join(best, on="article", how="semi")

    # All half-lives in one plan: a plan of few rows takes longer to start than to run.

    @cached_property
    def _repeats(self) -> pl.DataFrame:
        """(half_life, customer, article, rank): what was bought again, by rank."""
        weighed = [
            self.past.lazy().with_columns(half_life=pl.lit(days), weight=decayed(self.cutoff, days)) for days in REPEATS
        ]
        own = pl.concat(weighed).group_by("half_life", "customer", "article").agg(score=pl.col("weight").sum())
        found = ranked(own, by=["half_life", "customer"]).join(self.bought.lazy(), on=["customer", "article"])
        return self.engine.collect(found.select("half_life", "customer", "article", "rank"), fits=True)

    @cached_property
    def _best(self) -> pl.DataFrame:
        """(half_life, article, rank): the best sellers of all customers."""
        # A weight is at most ONE and the days, below 2^21: the sum over fewer than 2^31 units stays below 2^52.
        weighed = [
            self.sales.lazy().with_columns(half_life=pl.lit(days), weight=decayed(self.cutoff, days, SEASON, ONE))
            for days in TURNOVER
        ]
        units = pl.col("weight") * pl.col("units")
        sold = pl.concat(weighed).group_by("half_life", "article").agg(score=units.sum())
        return self.engine.collect(top_n(sold, BEST, by="half_life").select("half_life", "article", "rank"), fits=True)


def _holding(places: Sequence[int]) -> int:
    """Return the first places that hold the share `HELD` of all; 1 where there are none."""
    return sorted(places)[math.ceil(HELD * len(places)) - 1] if places else 1
