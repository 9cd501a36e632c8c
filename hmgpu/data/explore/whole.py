"""The whole of a data set, counted week by week."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.html.blocks import count
from hmgpu.data.store import History, Store
from hmgpu.data.weeks import DAYS, Week, date_of

WEEK = "week"


@dataclass(frozen=True)
class Whole:
    """All of a data set, and the engine that executes plans on it."""

    store: Store
    engine: Engine

    @cached_property
    def history(self) -> History:
        """Everything known after the last day."""
        return self.store.as_of(self.store.last_day + 1)

    @cached_property
    def weeks(self) -> list[str]:
        """The complete weeks of the data, by their first day: an incomplete week would look like a bad one."""
        first, last = self.store.manifest.first_day, self.store.last_day
        start = Week.containing(first, self.store.week_starts)
        every = [Week(day) for day in range(start.first_day, last + 1, DAYS)]
        return [str(week) for week in every if week.first_day >= first and week.last_day <= last]

    def week(self, day: str = "day") -> pl.Expr:
        """Expression for the first day of the week that contains the column `day`."""
        start = Week.containing(self.store.manifest.first_day, self.store.week_starts).first_day
        return (pl.col(day) - (pl.col(day) - start) % DAYS).cast(pl.Int32)

    def by_week(self, plan: pl.LazyFrame) -> dict[str, list[float | None]]:
        """Collect `plan` (week, …) and return its other columns with one value for each of `weeks`, else None."""
        table = self.engine.collect(plan)
        dates = [str(date_of(day)) for day in table[WEEK]]
        columns = {}
        for name in table.columns:
            values = dict(zip(dates, table[name], strict=True))
            columns[name] = [values.get(week) for week in self.weeks]
        del columns[WEEK]
        return columns


def total(values: pl.Series) -> int:
    """Sum integers, or count the booleans that are true."""
    return int(values.sum())


def doubling(values: pl.Series, weights: pl.Series | None = None) -> list[tuple[str, int]]:
    """Count positive integers in the bands 1, 2–3, 4–7, …, or sum their `weights`; returns (band, number) pairs."""
    bands, low = [], 1
    while low <= (values.max() or 0):  # type: ignore[operator]
        inside, high = values.is_between(low, 2 * low - 1), 2 * low - 1
        name = count(low) if low == high else f"{count(low)}–{count(high)}"
        bands.append((name, total(inside if weights is None else weights.filter(inside))))
        low *= 2
    return bands
