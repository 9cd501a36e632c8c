"""The `data` section of the config: where the data is, and what the retailer's own files look like."""

import datetime
import difflib
import re
import zoneinfo
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from hmgpu.data.clean_ids import IdStep
from hmgpu.data.date_formats import DateFormat
from hmgpu.data.encodings import known_encoding
from hmgpu.data.number_formats import NumberFormat
from hmgpu.data.reasons import OTHER, REASONS
from hmgpu.data.tables import IF_NAMED, LAUNCHED, QUANTITY, TABLES, TableName

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Columns = dict[str, str | None]
_HUGE_EXPONENT = re.compile(r"[eE][+-]?\d{3}")  # larger than any price needs


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"{path}: this machine has no user of that name") from None


Folder = Annotated[Path, AfterValidator(_at_home)]
Share = Annotated[float, Field(ge=0, le=1)]
USUAL_BAD_ROWS = 0.001
MOST_CHANNELS = 127  # positions that fit into an int8


class Files(BaseModel):
    """Names of the raw files, with or without an ending: `.csv`, `.tsv`, `.txt` (or `.gz`, `.zip`), `.parquet`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transactions: str = "transactions_train"
    """One row a unit bought. Always required."""
    articles: str | None = "articles"
    """One row an article; null if there is no such file: then the articles are those in the transactions."""
    customers: str | None = "customers"
    """One row a customer; null if there is no such file: then the customers are those in the transactions."""


class ColumnNames(BaseModel):
    """The names of the contract's columns in the retailer's files; null declares a column absent.

    A column that is not named is read where the file has it under H&M's name, and else absent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    transactions: Columns = {}
    """Raw names of day, customer, article, price and channel; and of `quantity`, the units of a row, which are negative
    for a return."""
    articles: Columns = {}
    """Raw names of the article and its attributes; and of `launched`, the day from which it is on offer, which makes
    it a candidate before anybody has bought it. Without a table of articles, attributes that are named here are read
    from the transactions: an article has those of its first purchase."""
    customers: Columns = {}
    """Raw names of the customer, age, flags and codes."""

    @field_validator("transactions", "articles", "customers")
    @classmethod
    def _known_and_required(cls, given: Columns, info: object) -> Columns:
        table: TableName = info.field_name  # type: ignore[attr-defined]
        contract = {column.name: column for column in (*TABLES[table], *IF_NAMED[table])}
        for name, raw in given.items():
            if name not in contract:
                raise ValueError(f"'{name}' is not a column of {table}, which has {', '.join(contract)}")
            if raw is None and contract[name].required:
                raise ValueError(f"'{name}' can't be declared absent: customer, article and day are always required")
        return given

    def of(self, table: TableName) -> Columns:
        """Return the raw name (None if absent) of every column of `table`: H&M's unless the config gives another.

        Those that H&M's files lack are in it where the config names them.
        """
        given: Columns = getattr(self, table)
        named = {column.name: raw for column in IF_NAMED[table] if (raw := given.get(column.name))}
        return {column.name: given.get(column.name, column.raw) for column in TABLES[table]} | named


class DataSettings(BaseModel):
    """Where the data is, and what the retailer's own files look like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    raw: Folder
    """Folder with the raw files."""
    root: Folder
    """Folder of the ingested data set."""
    files: Files = Files()
    """Names of the raw files."""
    columns: ColumnNames = ColumnNames()
    """Names of the columns in the raw files."""
    article_pattern: str = r"\d{10}"
    """Regular expression that every article id must match in full; ids stay text, so leading zeros are kept."""
    customer_pattern: str = r"[0-9a-f]{64}"
    """Regular expression that every customer id must match in full."""
    clean_ids: tuple[IdStep, ...] = ()
    """What is done to article and customer ids before anything else, in this order: trim, upper, lower, or
    whole, which makes 17850 of 17850.0, as pandas writes a column of numbers with gaps."""
    date_format: str = "%Y-%m-%d"
    """How the transactions write a day, in strftime codes; `%d` takes two digits, `%-d` one or two, `%z` an offset."""
    time_zone: str | None = None
    """Zone, such as Europe/Stockholm, whose days count where times have a zone or an offset; null: each one's own."""
    decimal: Literal[".", ","] = "."
    """What stands before the decimals of numbers that are text."""
    thousands: Literal[".", ",", " ", "'"] | None = None
    """What stands between thousands of numbers that are text; null: nothing."""
    separator: str | None = None
    """Character between the fields of CSV files, unless a comma, semicolon, tab or bar fits a file's header better."""
    encoding: str = "utf-8"
    """How CSV files encode text, such as cp1252 or utf-16-le; a byte-order mark at a file's start counts before it."""
    price_unit: str = "1/59000"
    """Prices are stored as whole multiples of this; H&M's are multiples of 1/59000, prices in cents need 0.01."""
    currency: str | None = None
    """What prices are in, as pages write it after a price: EUR, kr. H&M's public prices are scaled and in none."""
    channels: tuple[str, ...] = ("1", "2")
    """The sales channels that may occur, as the transactions write them."""
    week_starts: Weekday = "wednesday"
    """First day of a week. H&M's weeks run Wednesday to Tuesday."""
    returns: Literal["cancel", "drop"] = "cancel"
    """What a negative quantity does: cancel takes back the customer's latest purchase of the article, from the day of
    the return on; drop leaves it out. Either is counted."""
    max_rounded: Share = 0.01
    """Share of a file's prices that may be rounded to a multiple of `price_unit`; if more are, nothing is ingested."""
    where: str | None = None
    """Rows of the transactions that are read: a condition in Polars' SQL over the file's own columns, as text, such as
    `Invoice NOT LIKE 'C%' AND TRY_CAST(Price AS DOUBLE) > 0`; null: all."""
    last_day: datetime.date | None = None
    """Rows of a later day go to quarantine; null: the data end with their last row."""
    max_bad_rows: Share | dict[str, Share] = USUAL_BAD_ROWS
    """Share of a file's rows that may break the contract; if more do, nothing is ingested. Or a share for each reason,
    as the summary and the quarantine name it, and for all `other` reasons (0.001)."""

    @field_validator("channels", mode="before")
    @classmethod
    def _as_text(cls, given: object) -> object:
        return [str(each) if type(each) is int else each for each in given] if isinstance(given, list) else given

    @field_validator("article_pattern", "customer_pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
            re.compile(pattern.encode())  # CSV files are searched as bytes
            pl.Series([""]).str.contains(f"^(?:{pattern})$")
        except (re.error, OverflowError, RecursionError, ValueError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        except pl.exceptions.ComputeError:
            raise ValueError("not a regular expression that Polars supports (it has no look-around)") from None
        return pattern

    @field_validator("max_bad_rows")
    @classmethod
    def _known_reasons(cls, allowed: object) -> object:
        for reason in allowed if isinstance(allowed, dict) else ():
            if reason not in (*REASONS, OTHER):
                raise ValueError(f"'{reason}' is not a reason: there are {', '.join((*REASONS, OTHER))}")
        return allowed

    @field_validator("where")
    @classmethod
    def _reads_columns(cls, condition: str | None) -> str | None:
        if condition is None:
            return None
        try:
            if pl.sql_expr(condition).meta.root_names():
                return condition
        except (pl.exceptions.PolarsError, ValueError) as error:
            raise ValueError(f"not a condition in Polars' SQL: {str(error).splitlines()[0]}") from None
        raise ValueError(f"'{condition}' reads no column: it must say which rows to read, as in Quantity <> '0'")

    @property
    def counts_units(self) -> bool:
        """Whether the transactions have a column of units, in which returns are negative."""
        return self.columns.transactions.get(QUANTITY.name) is not None

    def bad_rows_allowed(self, reason: str) -> float:
        """Return the share of a file's rows that may be bad for `reason`, or for all reasons that aren't named."""
        if isinstance(self.max_bad_rows, dict):
            return self.max_bad_rows.get(reason, self.max_bad_rows.get(OTHER, USUAL_BAD_ROWS))
        return self.max_bad_rows

    @field_validator("date_format")
    @classmethod
    def _names_a_day(cls, pattern: str) -> str:
        if DateFormat(pattern).is_complete():
            return pattern
        raise ValueError(f"{pattern!r} does not write a full date, as %Y-%m-%d does, or hours without minutes")

    @field_validator("separator")
    @classmethod
    def _one_character(cls, separator: str | None) -> str | None:
        if separator is None or (len(separator) == 1 and separator.isascii() and separator not in '"\r\n\0'):
            return separator
        if separator in ("\\t", "tab"):
            return "\t"
        raise ValueError(f"{separator!r} is not one ASCII character, as ',', ';', '|' and \"\\t\" (a tab) are")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        if known := known_encoding(name):
            return known
        raise ValueError(f"'{name}' is not an encoding that Python knows, as utf-8, cp1252 and utf-16-le are")

    @field_validator("thousands")
    @classmethod
    def _not_the_decimal(cls, thousands: str | None, others: ValidationInfo) -> str | None:
        if thousands is not None and thousands == others.data.get("decimal"):
            raise ValueError(f"'{thousands}' stands before the decimals already (data.decimal)")
        return thousands

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in zoneinfo.available_timezones():
            near = difflib.get_close_matches(zone, zoneinfo.available_timezones(), n=1)
            raise ValueError(f"'{zone}' is not a time zone, as {near[0] if near else 'Europe/Stockholm'} is")
        return zone

    @property
    def numbers(self) -> NumberFormat:
        """How numbers are read."""
        return NumberFormat(self.decimal, self.thousands)

    @property
    def dates(self) -> DateFormat:
        """How days are read."""
        return DateFormat(self.date_format, self.time_zone)

    @model_validator(mode="after")
    def _launches_are_of_a_file(self) -> Self:
        if self.files.articles is None and self.columns.articles.get(LAUNCHED.name):
            raise ValueError(
                "columns.articles.launched needs a file of articles (files.articles), since articles that nobody has "
                "bought are in no transaction"
            )
        return self

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        if not 1 <= len(channels) <= MOST_CHANNELS or len(set(channels)) < len(channels):
            raise ValueError(f"must be 1 to {MOST_CHANNELS} different names")
        return channels

    @field_validator("price_unit", mode="before")
    @classmethod
    def _positive_fraction(cls, unit: object) -> str:
        try:
            # An exponent of a billion would be a number of a billion digits, and take forever to parse.
            if len(str(unit)) <= 40 and not _HUGE_EXPONENT.search(str(unit)) and Fraction(str(unit)) > 0:
                return str(unit)
        except (ValueError, ZeroDivisionError):
            pass
        raise ValueError(f"{unit!r} is not a positive number or fraction such as 0.01 or 1/59000")
