"""Check rows against the contract: text columns in, typed columns out, and for each bad row the first reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import polars as pl

from hmgpu.data.clean_ids import cleaned
from hmgpu.data.ingest.rows import BAD_SCHEMA, Rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import DTYPES, OLDEST, Column
from hmgpu.data.weeks import day_number

LAST_DAY = 47481  # 2099-12-31: a day after this, or before 1970, is a typing error and would stretch every window
LARGEST = 2**31 - 1  # price units that fit into an int32
MOST_UNITS = 100_000  # of one article in one row: each becomes a row
OFF_UNIT = 1e-3  # a price further than this from a whole number of units counts as rounded

Fault = tuple[pl.Expr, str, str]  # (which rows, raw column, reason)


@dataclass(frozen=True)
class Checked:
    """A block of rows after the checks.

    `frame` has the good rows in the contract's dtypes, except that keys and codes are still text; `bad` has the other
    rows (BAD_SCHEMA); `rounded` counts prices that were not a whole number of units, and `beyond` is the first day of
    rows after `data.last_day`. `reject` moves further rows from good to bad.
    """

    frame: pl.DataFrame
    bad: pl.DataFrame
    rounded: int
    beyond: int | None
    positions: pl.Series
    rows: Rows

    def with_columns(self, column: pl.Series) -> "Checked":
        """Return the block with one column of `frame` replaced."""
        return replace(self, frame=self.frame.with_columns(column))

    def reject(self, faults: Sequence[Fault]) -> "Checked":
        """Return the block with the rows to which one of `faults` (expressions over `frame`) applies moved to `bad`."""
        fault = self.frame.select(_first(faults)).to_series()
        if fault.null_count() == self.frame.height:
            return self
        good = fault.is_null()
        wrong = self.positions.filter(~good).to_list()
        bad = _report(self.rows, wrong, fault.drop_nulls().to_list(), faults)
        return replace(
            self, frame=self.frame.filter(good), bad=pl.concat([self.bad, bad]), positions=self.positions.filter(good)
        )


class Contract:
    """The checks of `columns`, each with the file's name for it as `raw`."""

    def __init__(self, columns: Sequence[Column], settings: DataSettings) -> None:
        self.typed: list[pl.Expr] = []
        self.faults: list[Fault] = []
        self.rounded: pl.Expr = pl.lit(0)
        self.beyond: pl.Expr = pl.lit(None, DTYPES["day"])
        # What a return was worth doesn't matter, and some files write it as a negative price.
        returned = (pl.col("quantity").cast(pl.Float64, strict=False) < 0).fill_null(False)
        has_quantity = any(column.kind == "quantity" for column in columns)
        for column in columns:
            typed, faults = _CHECKS[column.kind](column, settings)
            if column.kind == "price":
                units = _units(column, settings)
                off = (units - _whole(units)).abs() > OFF_UNIT
                if has_quantity:
                    typed = pl.when(~returned).then(typed)
                    faults = [(which & ~returned, reason) for which, reason in faults]
                    off = off & ~returned
                self.rounded = off.sum()
            if column.kind == "day" and settings.last_day:
                late = typed.is_between(day_number(settings.last_day), LAST_DAY, closed="right")
                faults.append((late, "date after data.last_day"))
                self.beyond = typed.filter(late).min()
            self.typed.append(typed.alias(column.name))
            self.faults += [(which, column.raw, reason) for which, reason in faults]

    def check(self, rows: Rows) -> Checked:
        """Split `rows` into good ones, with the contract's dtypes (keys and codes still text), and bad ones."""
        fault = rows.frame.select(_first(self.faults)).to_series()
        good = fault.is_null()
        bad = rows.unreadable
        text = rows.frame
        positions = pl.int_range(rows.frame.height, eager=True)
        if not good.all():
            bad = pl.concat(
                [bad, _report(rows, positions.filter(~good).to_list(), fault.drop_nulls().to_list(), self.faults)]
            )
            text, positions = text.filter(good), positions.filter(good)
        beyond = rows.frame.select(self.beyond).item()
        rounded = int(text.select(self.rounded).item()) if text.height else 0
        return Checked(text.select(self.typed), bad, rounded, beyond, positions, rows)


def _first(faults: Sequence[Fault]) -> pl.Expr:
    """Expression for the position of the first of `faults` that a row has, null if it has none."""
    cases: list[pl.Expr] = [
        pl.when(which).then(pl.lit(position, pl.Int16)) for position, (which, _, _) in enumerate(faults)
    ]
    return pl.coalesce([*cases, pl.lit(None, pl.Int16)])


def _report(rows: Rows, positions: list[int], faults: list[int], known: Sequence[Fault]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "line": [int(rows.lines[position]) for position in positions],
            "column": [known[fault][1] for fault in faults],
            "reason": [known[fault][2] for fault in faults],
            "text": rows.texts(positions),
        },
        schema=BAD_SCHEMA,
    )


Check = tuple[pl.Expr, list[tuple[pl.Expr, str]]]


def _key(column: Column, settings: DataSettings) -> Check:
    pattern = settings.article_pattern if column.name == "article" else settings.customer_pattern
    text = cleaned(pl.col(column.name), settings.clean_ids)
    if settings.clean_ids:
        text = pl.when(text != "").then(text)
    return text, [
        (text.is_null(), f"missing {column.name} id"),
        (~text.str.contains(f"^(?:{pattern})$"), f"malformed {column.name} id"),
    ]


def _day(column: Column, settings: DataSettings) -> Check:
    text = pl.col(column.name)
    day = settings.dates.read(text)
    return day, [
        (text.is_null(), "missing date"),
        (day.is_null(), "bad date"),
        (~day.is_between(0, LAST_DAY), "date outside 1970..2099"),
    ]


def _launch(column: Column, settings: DataSettings) -> Check:
    text = pl.col(column.name)
    day = settings.dates.read(text)
    return day, [
        (text.is_not_null() & day.is_null(), "bad launch date"),
        (~day.is_between(0, LAST_DAY), "launch date outside 1970..2099"),
    ]


def _number(column: Column) -> pl.Expr:
    return pl.col(column.name).cast(pl.Float64, strict=False)


def _units(column: Column, settings: DataSettings) -> pl.Expr:
    unit = Fraction(settings.price_unit)
    return _number(column) * unit.denominator / unit.numerator


def _whole(units: pl.Expr) -> pl.Expr:
    return units.round(0, mode="half_away_from_zero")


def _price(column: Column, settings: DataSettings) -> Check:
    value = _number(column)
    units = _whole(_units(column, settings))
    return units.cast(DTYPES["price"], strict=False), [
        (pl.col(column.name).is_null(), "missing price"),
        (value.is_null() | ~value.is_finite(), "price is not a number"),
        (value < 0, "negative price"),
        (units > LARGEST, "price too large"),
    ]


def _quantity(column: Column, settings: DataSettings) -> Check:
    value = _number(column)
    return value.cast(DTYPES["quantity"], strict=False), [
        (pl.col(column.name).is_null(), "missing quantity"),
        ((value.is_nan() | (value != value.floor())).fill_null(True), "quantity is not a whole number"),
        (value == 0, "quantity is 0"),
        (value.abs() > MOST_UNITS, "quantity too large"),
    ]


def _channel(column: Column, settings: DataSettings) -> Check:
    text = pl.col(column.name)
    position = text.cast(pl.Enum(settings.channels), strict=False).to_physical()
    return position.cast(DTYPES["channel"]), [
        (text.is_null(), "missing channel"),
        (position.is_null(), "unknown channel"),
    ]


def _flag(column: Column, settings: DataSettings) -> Check:
    text, value = pl.col(column.name), _number(column)
    return (value == 1).fill_null(False).cast(DTYPES["flag"]), [
        (text.is_not_null() & ~value.is_in([0.0, 1.0]).fill_null(False), "flag is not empty, 0 or 1"),
    ]


def _age(column: Column, settings: DataSettings) -> Check:
    text, value = pl.col(column.name), _number(column)
    sound = (value.is_finite() & value.is_between(0, OLDEST)).fill_null(False)
    return value.floor().cast(DTYPES["age"], strict=False), [
        (text.is_not_null() & ~sound, f"age is not a number in 0..{OLDEST}"),
    ]


def _plain(column: Column, settings: DataSettings) -> Check:
    text = pl.col(column.name)
    return text, [(text.str.contains("\0", literal=True), "NUL character")]


_CHECKS: dict[str, Callable[[Column, DataSettings], Check]] = {
    "key": _key,
    "day": _day,
    "launch": _launch,
    "price": _price,
    "quantity": _quantity,
    "channel": _channel,
    "flag": _flag,
    "age": _age,
    "code": _plain,
    "text": _plain,
}
