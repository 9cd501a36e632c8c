"""Is a new week of data what weeks usually are? Figures of it, of those before it, and the limits between them."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.weeks import DAYS, Week
from hmgpu.pipeline.retrain_settings import Limits

REPEAT_WEEKS = 4  # how far back a purchase counts as one that is repeated


@dataclass(frozen=True)
class Figures:
    """What a week of purchases looks like."""

    rows: int
    missing_days: int
    new_articles: float
    """Share of purchases of articles that were never sold before the week."""
    repeats: float
    """Share of purchases of what the customer had bought in the four weeks before it."""
    price: float | None
    """Mean, in `data.price_unit`; None where the data have no prices."""
    channels: Mapping[int, float] | None
    """Share of purchases by channel; None where the data have none."""


@dataclass(frozen=True)
class Check:
    """One figure of a week beside the usual one."""

    name: str
    value: float
    usual: float | None
    limit: str
    passed: bool

    def __str__(self) -> str:
        usual = "" if self.usual is None else f", usually {self.usual:.4g}"
        return f"{self.name} is {self.value:.4g}{usual} (limit: {self.limit})"

    def record(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def figures(
    sold: pl.LazyFrame, articles: pl.LazyFrame, week: Week, known: Sequence[int], engine: Engine
) -> Figures | None:
    """What `week` looks like; None where nothing was sold in it.

    Args:
        sold: (day, customer, article, price?, channel?) of the week and those of its `known` ones.
        articles: (article, first_day), first_day being the first day on which each was sold.
        known: weeks back whose purchases count as repeated. After a week that never came, it is left out of the weeks
            that are compared too.
    """
    columns = sold.collect_schema().names()
    day = pl.col("day")
    bought = sold.filter(_in(week))
    before = sold.filter(pl.any_horizontal(pl.lit(False), *(_in(week.back(back)) for back in known)))
    had = before.select("customer", "article").unique().with_columns(again=pl.lit(1, pl.Int64))
    new = articles.filter(pl.col("first_day") >= week.first_day).select("article", new=pl.lit(1, pl.Int64))
    told = bought.join(had, on=["customer", "article"], how="left").join(new, on="article", how="left")
    sums = [pl.len().alias("rows"), day.n_unique().alias("days"), pl.col("again").sum(), pl.col("new").sum()]
    prices = [pl.col("price").cast(pl.Int64).sum()] if "price" in columns else []
    found = engine.collect(told.select(*sums, *prices)).row(0, named=True)
    if not found["rows"]:
        return None
    rows: int = found["rows"]
    mix = engine.collect(bought.group_by("channel").agg(pl.len().alias("n"))).rows() if "channel" in columns else None
    return Figures(
        rows=rows,
        missing_days=7 - found["days"],
        new_articles=found["new"] / rows,
        repeats=found["again"] / rows,
        price=found["price"] / rows if prices else None,
        channels={channel: n / rows for channel, n in sorted(mix)} if mix is not None else None,
    )


def checks(week: Figures, before: Sequence[Figures], unknown: float, limits: Limits) -> list[Check]:
    """Every limit that is set and can be judged, for a week and the complete weeks `before` it.

    Args:
        unknown: share of the new rows that named an article or customer that no table has.
    """
    made = []

    def check(name: str, value: float, usual: float | None, limit: str, passed: bool) -> None:
        made.append(Check(name, value, usual, limit, passed))

    if limits.missing_days is not None:
        most = limits.missing_days
        check("days without sales", week.missing_days, None, f"at most {most}", week.missing_days <= most)
    if limits.unknown is not None:
        check("share of unknown ids", unknown, None, f"at most {limits.unknown:g}", unknown <= limits.unknown)
    if not before:
        return made
    if limits.volume:
        usual, (low, high) = statistics.median(other.rows for other in before), limits.volume
        within = low * usual <= week.rows <= high * usual
        check("number of purchases", week.rows, usual, f"{low:g} to {high:g} times the usual", within)
    if limits.new_articles is not None:
        usual, most_above = statistics.median(other.new_articles for other in before), limits.new_articles
        passed = week.new_articles <= usual + most_above
        check("share of articles never sold before", week.new_articles, usual, f"{most_above:g} above", passed)
    if limits.repeats is not None:
        usual, least = statistics.median(other.repeats for other in before), limits.repeats
        passed = week.repeats >= least * usual
        check("share of repeated purchases", week.repeats, usual, f"at least {least:g} times the usual", passed)
    prices = [other.price for other in before if other.price is not None]
    if limits.price is not None and week.price is not None and prices:
        usual = statistics.median(prices)
        passed = abs(week.price - usual) <= limits.price * usual
        check("mean price", week.price, usual, f"{limits.price:g} of it up or down", passed)
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
    return made


def weeks_known(days: Iterable[int], week: Week) -> list[int]:
    """Of the weeks before `week` that repeats are looked for in, those in which anything was sold, as weeks back.

    Args:
        days: all on which anything was sold.
    """
    since = week.back(REPEAT_WEEKS).first_day
    return sorted({-(-(week.first_day - day) // DAYS) for day in days if since <= day < week.first_day})


def _in(week: Week) -> pl.Expr:
    return pl.col("day").is_between(week.first_day, week.last_day)


def _moved(mix: Mapping[int, float], usual: Sequence[Mapping[int, float]]) -> float:
    """Total variation distance between a mix and the mean of others."""
    known = {channel for other in (mix, *usual) for channel in other}
    mean = {channel: statistics.fmean(other.get(channel, 0.0) for other in usual) for channel in known}
    return sum(abs(mix.get(channel, 0.0) - mean[channel]) for channel in known) / 2
