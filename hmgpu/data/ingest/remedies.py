"""Find in a raw file's first rows what its bad rows have, and the setting that would read them."""

from collections.abc import Callable, Sequence

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import guess
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.number_formats import NumberFormat
from hmgpu.data.settings import DataSettings

_LONGEST = 40  # characters of a value that are shown


def remedy_of(reason: str, raw: RawFile, settings: DataSettings) -> str | None:
    """Return what to do about rows that are bad for `reason`: the value at fault, and what would fit; else None."""
    if reason not in _REMEDIES:
        return None
    column, remedy = _REMEDIES[reason]
    try:
        name = settings.columns.of(raw.table).get(column) if column else None
        wanted = [each for each in settings.columns.of(raw.table).values() if each]
        encoding = settings.encoding if column else None
        look = guess.look(raw, encoding=encoding, separator=settings.separator, wanted=wanted)
        return remedy([value for value in look.columns.get(name or "", []) if value], look, settings)
    except DataError:
        return None


def _date(values: Sequence[str], look: guess.Look, settings: DataSettings) -> str | None:
    bad = _bad(values, settings.dates.read(pl.col("value")).is_null())
    if not bad:
        return None
    fitting = guess.date_formats(values) or guess.date_formats(bad)
    would = f", '{fitting[0]}' would fit" if fitting else ""
    return f"{_shown(bad)} is not written as `data.date_format` '{settings.date_format}' says{would}"


def _price(values: Sequence[str], look: guess.Look, settings: DataSettings) -> str | None:
    bad = _bad(values, ~pl.col("value").str.contains(settings.numbers.pattern()))
    if not bad:
        return None
    fitting = guess.number_formats(values) or guess.number_formats(bad)
    would = f"; {_as_settings(fitting[0])} would fit" if fitting else "; prices must be numbers alone"
    return f"{_shown(bad)} is not a number with `data.decimal: '{settings.decimal}'`{would}"


def _as_settings(form: NumberFormat) -> str:
    thousands = f" and `data.thousands: '{form.thousands}'`" if form.thousands else ""
    return f"`data.decimal: '{form.decimal}'`{thousands}"


def _id(kind: str) -> Callable[[Sequence[str], guess.Look, DataSettings], str | None]:
    def remedy(values: Sequence[str], look: guess.Look, settings: DataSettings) -> str | None:
        pattern: str = getattr(settings, f"{kind}_pattern")
        bad = _bad(values, ~pl.col("value").str.contains(f"^(?:{pattern})$"))
        return f"{_shown(bad)} is not what `data.{kind}_pattern` '{pattern}' describes" if bad else None

    return remedy


def _channel(values: Sequence[str], look: guess.Look, settings: DataSettings) -> str | None:
    bad = sorted({value for value in values if value not in settings.channels})
    shown = ", ".join(_shown([value]) for value in bad[:3])
    return f"`data.channels` lists {', '.join(settings.channels)}, and not {shown}" if bad else None


def _encoding(values: Sequence[str], look: guess.Look, settings: DataSettings) -> str | None:
    if look.encoding in (None, settings.encoding):
        return "`data.encoding` names the file's encoding, such as cp1252"
    return f"the file's encoding may be {look.encoding}: set `data.encoding: {look.encoding}`"


def _bad(values: Sequence[str], which: pl.Expr) -> list[str]:
    frame = pl.DataFrame({"value": values}, schema={"value": pl.String})
    return frame.filter(which.fill_null(True)).get_column("value").to_list()


def _shown(bad: Sequence[str]) -> str:
    value = bad[0].replace("\n", " ")
    return f"'{value[:_LONGEST]}…'" if len(value) > _LONGEST else f"'{value}'"


Remedy = Callable[[Sequence[str], guess.Look, DataSettings], str | None]
# reason -> the contract's column that is at fault, and what finds the remedy in its values
_REMEDIES: dict[str, tuple[str | None, Remedy]] = {
    "bad date": ("day", _date),
    "bad launch date": ("launched", _date),
    "price is not a number": ("price", _price),
    "malformed article id": ("article", _id("article")),
    "malformed customer id": ("customer", _id("customer")),
    "unknown channel": ("channel", _channel),
    "not UTF-8": (None, _encoding),
    "not in data.encoding": (None, _encoding),
}
