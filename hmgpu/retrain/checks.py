"""Check whether a new week of data is like the weeks before it: their figures, and the limits between them."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.words import rounded
from hmgpu.data.weeks import DAYS, Week
from hmgpu.pipeline.retrain_settings import Limits

REPEAT_WEEKS = 4  # a purchase of the same article within so many weeks before counts as repeated


@dataclass(frozen=True)
class Figures:
    """Figures of a week of purchases."""

    rows: int
    days: frozenset[int]
    """Days on which anything was sold, counted from the week's first one, which is 0."""
    new_articles: float
    """Share of purchases of articles that were never sold before the week."""
    repeats: float
    """Share of purchases of articles that the customer had bought in the four weeks before."""
    price: float | None
    """Mean price, as the retailer's own files write prices; None where the data have no prices."""
    channels: Mapping[int, float] | None
    """Share of purchases by channel; None where the data have no channels."""


@dataclass(frozen=True)
class Check:
    """One figure of a week next to the usual one."""

    name: str
    value: float
    usual: float | None
    limit: str
    passed: bool
    unit: str = ""
    """What stands after the two numbers, such as a currency."""

    def __str__(self) -> str:
        usual = "" if self.usual is None else f", usually {self.shown(self.usual)}"
        return f"{self.name} is {self.shown(self.value)}{usual} (limit: {self.limit})"

    def shown(self, number: float | None) -> str:
        """Return `value` or `usual` as it is shown: an en dash for None."""
        return "–" if number is None else rounded(number, self.unit)

    def record(self) -> dict[str, Any]:
        """Return the check as JSON can hold it."""
        return asdict(self)


def figures(
    sold: pl.LazyFrame,
    articles: pl.LazyFrame,
    week: Week,
    known: Sequence[int],
    engine: Engine,
    days: int = DAYS,
    price_unit: Fraction = Fraction(1),
) -> Figures | None:
    """Return the figures of the first `days` days of `week`; None where nothing was sold on them.

    Args:
        sold: (day, customer, article, price?, channel?) in the week and in the weeks `known`.
        articles: (article, first_day), first_day being the first day on which it was sold.
        known: weeks back whose purchases count as repeated. A missing week is left out of them, also for the weeks that
            `week` is compared with.
        price_unit: what a price of 1 in `sold` is in the retailer's own files.
    """
    columns = sold.collect_schema().names()
    day = pl.col("day")
    bought = sold.filter(_in(week), day < week.first_day + days)
    before = sold.filter(pl.any_horizontal(pl.lit(False), *(_in(week.back(back)) for back in known)))
    had = before.select("customer", "article").unique().with_columns(again=pl.lit(1, pl.Int64))
    new = articles.filter(pl.col("first_day") >= week.first_day).select("article", new=pl.lit(1, pl.Int64))
    marked = bought.join(had, on=["customer", "article"], how="left").join(new, on="article", how="left")
    sums = [pl.len().alias("rows"), pl.col("again").sum(), pl.col("new").sum()]
    prices = [pl.col("price").cast(pl.Int64).sum()] if "price" in columns else []
    found = engine.collect(marked.select(*sums, *prices)).row(0, named=True)
    if not found["rows"]:
        return None
    rows: int = found["rows"]
    open_on = engine.collect(bought.select(day.unique()))["day"]
    mix = engine.collect(bought.group_by("channel").agg(pl.len().alias("n"))).rows() if "channel" in columns else None
    return Figures(
        rows=rows,
        days=frozenset((open_on - week.first_day).to_list()),
        new_articles=found["new"] / rows,
        repeats=found["again"] / rows,
        price=float(found["price"] * price_unit / rows) if prices else None,
        channels={channel: n / rows for channel, n in sorted(mix)} if mix is not None else None,
    )


def checks(
    week: Figures,
    before: Sequence[Figures],
    unknown: float,
    limits: Limits,
    days: int = DAYS,
    currency: str | None = None,
) -> list[Check]:
    """Check every limit that is set and applies, for the first days of a week and of the weeks `before` it.

    Args:
        days: how many they are.
        unknown: share of the new rows with an article or customer that no table has.
        currency: what prices are in; None where nobody said it.
    """
    checked = []

    def check(name: str, value: float, usual: float | None, limit: str, passed: bool, unit: str = "") -> None:
        checked.append(Check(name, value, usual, limit, passed, unit))

    if limits.missing_days is not None:
        most = limits.missing_days
        missing = len(_usual_days(before, days) - week.days)
        check("days without the usual sales", missing, None, f"at most {most}", missing <= most)
    if limits.unknown is not None:
        check("share of unknown ids", unknown, None, f"at most {limits.unknown:g}", unknown <= limits.unknown)
    if not before:
        return checked
    if limits.volume:
        usual, (low, high) = statistics.median(other.rows for other in before), limits.volume
        within = low * usual <= week.rows <= high * usual
        check("number of purchases", week.rows, usual, f"{low:g} to {high:g} times the usual", within)
    if limits.new_articles is not None:
        usual, most_above = statistics.median(other.new_articles for other in before), limits.new_articles
        passed = week.new_articles <= usual + most_above
        check("share of articles never sold before", week.new_articles, usual, f"usual + {most_above:g}", passed)
    if limits.repeats is not None:
        usual, least = statistics.median(other.repeats for other in before), limits.repeats
        passed = week.repeats >= least * usual
        check("share of repeated purchases", week.repeats, usual, f"at least {least:g} times the usual", passed)
    prices = [other.price for other in before if other.price is not None]
    if limits.price is not None and week.price is not None and prices:
        usual = statistics.median(prices)
        passed = abs(week.price - usual) <= limits.price * usual
        check("mean price", week.price, usual, f"usual ± {100 * limits.price:g} %", passed, currency or "")
    mixes = [other.channels for other in before if other.channels is not None]
    if limits.channels is not None and week.channels is not None and mixes:
        moved = _moved(week.channels, mixes)
        check(
            "share of purchases in another channel",
            moved,
            0.0,
            f"at most {limits.channels:g}",
            moved <= limits.channels,
        )
    return checked


def _usual_days(weeks: Sequence[Figures], days: int) -> frozenset[int]:
    """Return which of the first `days` days had sales in most of the `weeks`; all of them where there are no weeks."""
    if not weeks:
        return frozenset(range(days))
    return frozenset(day for day in range(days) if 2 * sum(day in week.days for week in weeks) > len(weeks))


def weeks_known(days: Iterable[int], week: Week) -> list[int]:
    """Return the weeks, as weeks back, in which repeats of purchases in `week` are looked for and anything was sold.

    Args:
        days: all days on which anything was sold.
    """
    since = week.back(REPEAT_WEEKS).first_day
    return sorted({-(-(week.first_day - day) // DAYS) for day in days if since <= day < week.first_day})


def _in(week: Week) -> pl.Expr:
    return pl.col("day").is_between(week.first_day, week.last_day)


def _moved(mix: Mapping[int, float], usual: Sequence[Mapping[int, float]]) -> float:
    """Return the total variation distance between a mix and the mean of others."""
    known = {channel for other in (mix, *usual) for channel in other}
    mean = {channel: statistics.fmean(other.get(channel, 0.0) for other in usual) for channel in known}
    return sum(abs(mix.get(channel, 0.0) - mean[channel]) for channel in known) / 2
