"""Check new weeks against the weeks in the data set, before they are added."""

from collections.abc import Sequence

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.ingest.build import Arrived
from hmgpu.data.store import History, Store
from hmgpu.data.weeks import Week, date_of
from hmgpu.pipeline.retrain_settings import Limits
from hmgpu.retrain.checks import REPEAT_WEEKS, Check, checks, figures, weeks_known


class RefusedError(DataError):
    """Raised where a week of data is too far from the usual."""

    def __init__(self, message: str, checked: Sequence[Check]) -> None:
        super().__init__(message)
        self.checks = list(checked)


def check_arrived(store: Store, arrived: Arrived, limits: Limits, engine: Engine) -> list[Check]:
    """Return every check of every week with new rows. Raises RefusedError where a limit is broken."""
    new = arrived.transactions
    known = _sold(store.as_of(store.last_day + 1))
    columns = [column for column in known.collect_schema().names() if column in new.columns]
    sold = pl.concat([known.select(columns), new.lazy().select(columns)])
    days = new["day"].unique().to_list()
    touched = {Week.containing(day, store.week_starts) for day in days}
    last = max(store.last_day, *days)
    begun = Week.containing(store.last_day, store.week_starts)
    if store.last_day < begun.last_day < last:  # so far only its first days were checked
        touched.add(begun)
    checked = []
    for week in sorted(touched):
        checked += _checks(store, sold, arrived.articles.lazy(), week, last, arrived.unknown, limits, engine)
    return checked


def check_last_week(store: Store, limits: Limits, engine: Engine) -> list[Check]:
    """Return every check of the data set's last complete week. Raises RefusedError where a limit is broken."""
    history = store.as_of(store.last_day + 1)
    week = store.last_complete_week
    return _checks(store, _sold(history), history.articles, week, store.last_day, 0.0, limits, engine)


def _sold(history: History) -> pl.LazyFrame:
    """Return all purchases, taken back or not: those of a new week have had no time to be."""
    return history.transactions if history.with_returned is None else history.with_returned


def _checks(
    store: Store,
    sold: pl.LazyFrame,
    articles: pl.LazyFrame,
    week: Week,
    last_day: int,
    unknown: float,
    limits: Limits,
    engine: Engine,
) -> list[Check]:
    # Far enough back for the repeats in the week and in the weeks before it.
    since = week.back(limits.weeks + REPEAT_WEEKS).first_day
    recent = sold.filter(pl.col("day").is_between(since, week.last_day))
    before = [week.back(back) for back in range(limits.weeks, 0, -1)]
    days = engine.collect(recent.select("day").unique())["day"].to_list()
    known = weeks_known(days, week)
    # In the first weeks of the data, and after a missing week, fewer purchases than usual count as repeats.
    comparable = [other for other in before if set(weeks_known(days, other)).issuperset(known)]
    so_far = min(week.last_day, last_day) - week.first_day + 1
    price_unit = store.manifest.price_unit
    usual = [figures(recent, articles, other, known, engine, so_far, price_unit) for other in comparable]
    now = figures(recent, articles, week, known, engine, so_far, price_unit)
    if now is None:
        raise RefusedError(f"Nothing was sold in the week starting {week}.", [])
    checked = checks(now, [other for other in usual if other], unknown, limits, so_far, store.manifest.currency)
    broken = [check for check in checked if not check.passed]
    if broken:
        found = "; ".join(map(str, broken))
        end = date_of(min(week.last_day, last_day))
        raise RefusedError(
            f"The week {week} to {end} is unlike the weeks before it, so nothing was changed: {found}. Fix the "
            "data, or set another limit under `retrain.limits` if the figures are right.",
            checked,
        )
    return checked
