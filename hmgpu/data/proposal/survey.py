"""Read all purchases once, for what their first rows can't tell: days, ids, prices, channels."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from hmgpu.data.date_formats import DateFormat
from hmgpu.data.ingest.columns import wanted
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.reading import read
from hmgpu.data.proposal.roles import KEYS
from hmgpu.data.settings import DataSettings
from hmgpu.data.weeks import DAYS

PRICES = 20_000  # different prices that are looked at to find their unit


@dataclass
class Survey:
    """What stands in the purchases."""

    rows: int = 0
    """Rows with a day, a customer and an article."""
    missing: Counter[str] = field(default_factory=Counter)
    """Rows without a customer, and without an article, of all that have a day."""
    dated: int = 0
    """Rows with a day that can be read."""
    days: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"day": pl.Int32, "rows": pl.UInt32}))
    """(day, rows), a day without rows left out."""
    ids: dict[str, pl.Series] = field(default_factory=dict)
    """The ids of customers and articles, each once, sorted."""
    prices: list[str] = field(default_factory=list)
    """Different prices, with a decimal point."""
    channels: list[str] = field(default_factory=list)
    """The channels, the most frequent first."""
    returned: int = 0
    """Rows with a negative quantity."""

    @property
    def first_day(self) -> int:
        return int(self.days["day"][0])

    @property
    def last_day(self) -> int:
        return int(self.days["day"][-1])

    @property
    def weeks(self) -> int:
        """Return the number of whole weeks up to the last day."""
        return (self.last_day - self.first_day + 1) // DAYS


def survey(raw: RawFile, settings: DataSettings, step: Callable[[int], None]) -> Survey:
    """Read the purchases in `raw`; rows whose day can't be read count for nothing.

    Args:
        step: gets the number of bytes that have been read.
    """
    found = Survey()
    counts = {name: list[pl.DataFrame]() for name in ("day", "customer", "article", "price", "channel")}
    for block in read(raw, wanted("transactions", settings, None), settings, step):
        dated = block.frame.with_columns(settings.dates.read(pl.col("day"))).drop_nulls("day")
        found.dated += dated.height
        found.missing.update({key: dated[key].null_count() for key in KEYS})
        rows = dated.drop_nulls(KEYS)
        found.rows += rows.height
        if "quantity" in rows.columns:
            found.returned += rows.filter(pl.col("quantity").str.starts_with("-")).height
        for name, parts in counts.items():
            if name in rows.columns and not (name == "price" and sum(map(len, parts)) > PRICES):
                parts.append(rows.drop_nulls(name).group_by(name).len("rows"))
                counts[name] = parts if len(parts) < 50 else [_together(name, parts)]
    totals = {name: _together(name, parts) for name, parts in counts.items() if parts}
    if "day" in totals:
        found.days = totals["day"].sort("day")
    found.ids = {key: totals[key][key].sort() for key in KEYS if key in totals}
    found.prices = totals["price"]["price"].to_list() if "price" in totals else []
    if "channel" in totals:
        found.channels = totals["channel"].sort("rows", "channel", descending=[True, False])["channel"].to_list()
    return found


def fitting_formats(raw: RawFile, settings: DataSettings, formats: Sequence[str]) -> list[str]:
    """Return those of `formats`, in their order, in which most days of the purchases can be read."""
    readable = Counter[str]()
    for days in _days(raw, settings):
        for codes in formats:
            readable[codes] += days.select(DateFormat(codes).read(pl.col("day")).count()).item()
    return [codes for codes in formats if readable[codes] == max(readable.values())]


def written_outside(raw: RawFile, settings: DataSettings, first: int, last: int) -> list[str]:
    """Return how the purchases write the days before `first` and after `last`, each text once, sorted."""
    outside = ~settings.dates.read(pl.col("day")).is_between(first, last)
    return sorted({text for days in _days(raw, settings) for text in days.filter(outside)["day"]})


def _days(raw: RawFile, settings: DataSettings) -> Iterable[pl.DataFrame]:
    """The days of all purchases as text (day), block by block."""
    columns = [column for column in wanted("transactions", settings, None) if column.name in ("day", *KEYS)]
    return (block.frame.select("day") for block in read(raw, columns, settings, lambda done: None))


def _together(name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).group_by(name).agg(pl.col("rows").sum())
