"""Put together a config for a folder of raw files."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from hmgpu.core.words import counted
from hmgpu.core.yaml_text import dump_line
from hmgpu.data.clean_ids import WHOLE
from hmgpu.data.ingest.guess import date_formats, number_formats
from hmgpu.data.ingest.lone_days import without_lone_days
from hmgpu.data.ingest.price_unit import fitting_unit
from hmgpu.data.number_formats import NumberFormat
from hmgpu.data.proposal.files import Found, attributes_in, find_tables
from hmgpu.data.proposal.patterns import ANY, pattern_of
from hmgpu.data.proposal.roles import KEYS, ORDER
from hmgpu.data.proposal.survey import Survey, fitting_formats, survey, written_outside
from hmgpu.data.reasons import OTHER
from hmgpu.data.settings import MOST_CHANNELS, USUAL_BAD_ROWS, DataSettings, Weekday
from hmgpu.data.tables import TableName
from hmgpu.data.weeks import date_of, weekday_of

MANY = 50_000  # customers from which on `base` is worth its time
CODES = {"product_type", "colour", "department", "section"}  # columns of codes that have one of names next to them
MOST_LEFT_OUT = 20  # days, as the file writes them, that a condition names
CENTS = "0.01"  # rather than what they happen to be multiples of, such as 0.05 or 10


@dataclass(frozen=True)
class Proposal:
    """A config, and what it is from."""

    text: str
    """The YAML file, with comments."""
    found: Mapping[str, str]
    """What was found, for the screen: (what, said)."""
    unsure: Sequence[str]
    """What could not be told, a sentence each; they also stand in the file."""


def propose(raw: Path, root: Path, step: Callable[[int, int], None] | None = None) -> Proposal:
    """Look at the files in `raw` and propose a config with the data set in `root`.

    Args:
        step: gets how many bytes of the purchases have been read, and how many there are.

    Raises DataError where no file is recognised as the purchases.
    """
    tables, aside = find_tables(raw)
    bought = tables["transactions"]
    formats = date_formats(bought.values("day"))
    data: dict[str, Any] = {
        "raw": str(raw),
        "root": str(root),
        "files": {name: tables[name].raw.name if name in tables else None for name in ORDER},
        "columns": {name: _columns(name, found) for name, found in tables.items()},
        "article_pattern": ANY,
        "customer_pattern": ANY,
        "date_format": formats[0],
        **_numbers(bought),
    }
    encodings = {found.look.encoding for found in tables.values()} - {None, "utf-8", "utf-16", "utf-32"}
    if encodings:
        data["encoding"] = min(str(each) for each in encodings)
    size = bought.raw.size
    if len(formats) > 1:
        formats = fitting_formats(bought.raw, DataSettings.model_validate(data), formats)
        data["date_format"] = formats[0]
    if "articles" not in tables and (attributes := attributes_in(bought)):
        data["columns"]["articles"] = _columns("articles", attributes)
    settings = DataSettings.model_validate(data)
    seen = survey(bought.raw, settings, lambda done: step(done, size) if step else None)
    unsure = [f"{each} (left aside)" for each in aside]
    if len(formats) > 1:
        unsure.append(f"date_format: the days may also be written as {' or '.join(formats[1:])}.")
    if len(encodings) > 1:
        unsure.append(f"encoding: the files seem to have several: {', '.join(sorted(map(str, encodings)))}.")
    data |= _without_lone_days(seen, bought, settings, unsure)
    data |= _learned(seen, bought, unsure)
    return Proposal(_text(raw, data, seen, tables, unsure), _found(tables, seen), unsure)


def _columns(table: TableName, found: Found) -> dict[str, str]:
    columns = {role: found.columns[role] for role in ORDER[table] if role in found.columns}
    for role in CODES & columns.keys():
        if any(not value.isdigit() for value in found.values(role)):  # words, which pages can show
            columns[f"{role}_name"] = columns[role]
    return dict(sorted(columns.items(), key=lambda each: _place(table, each[0])))


def _place(table: TableName, name: str) -> tuple[int, str]:
    return ORDER[table].index(name.removesuffix("_name") if name != "name" else name), name


def _numbers(bought: Found) -> dict[str, str]:
    """How the purchases write numbers, where it isn't with a decimal point alone."""
    values = [value for role in ("price", "quantity") if role in bought.columns for value in bought.values(role)]
    form = next(iter(number_formats(values)), NumberFormat())
    if form == NumberFormat():
        return {}
    return {"decimal": form.decimal, **({"thousands": form.thousands} if form.thousands else {})}


def _learned(seen: Survey, bought: Found, unsure: list[str]) -> dict[str, Any]:
    """The settings that all of the purchases tell."""
    ids = {key: values.drop_nulls() for key, values in seen.ids.items()}
    steps: list[str] = ["trim"] if any((values != values.str.strip_chars()).any() for values in ids.values()) else []
    ids = {key: values.str.strip_chars() for key, values in ids.items()}
    if any(values.str.contains(WHOLE).any() for values in ids.values()):
        steps.append("whole")
        ids = {key: values.str.replace(WHOLE, "$1").unique().sort() for key, values in ids.items()}
    learned: dict[str, Any] = {f"{key}_pattern": pattern_of(ids[key]) for key in ("article", "customer")}
    if steps:
        learned["clean_ids"] = steps
    learned |= _bad_rows(seen, unsure)
    for key, values in ids.items():
        if (other := values.len() - values.str.to_uppercase().n_unique()) > 0:
            unsure.append(
                f"clean_ids: {other:,} ids of {key}s differ from others in capitals alone; [upper] makes them the same."
            )
    if "price" in bought.columns:
        unit = fitting_unit(seen.prices)
        learned["price_unit"] = "0.001" if unit is None else CENTS if Fraction(unit) % Fraction(CENTS) == 0 else unit
        if unit is None:
            learned["max_rounded"] = 1
            unsure.append("price_unit: the prices are multiples of no unit; they are rounded to 0.001.")
    else:
        unsure.append(
            "columns.transactions.price: no column was recognised; parts that need prices leave themselves out."
        )
    if 0 < len(seen.channels) <= MOST_CHANNELS:
        learned["channels"] = seen.channels
    learned["week_starts"] = weekday_of(seen.last_day + 1)
    sold_on = {weekday_of(day) for day in seen.days["day"]}
    if closed := [name.capitalize() for name in get_args(Weekday) if name not in sold_on]:
        unsure.append(
            f"week_starts: nothing was ever bought on a {' or '.join(closed)}; that is taken for closed days."
        )
    if seen.returned:
        unsure.append(
            f"returns: {seen.returned:,} rows have a negative quantity; each cancels the customer's latest purchase of "
            "the article. `returns: drop` only leaves them out."
        )
    return learned


def _bad_rows(seen: Survey, unsure: list[str]) -> dict[str, Any]:
    """How many rows may lack a customer or an article, where it is more than usual."""
    shares = {key: seen.missing[key] / max(seen.dated, 1) for key in KEYS}
    allowed = {key: min(1, math.ceil(share * 120) / 100) for key, share in shares.items() if share > USUAL_BAD_ROWS}
    for key, most in allowed.items():
        unsure.append(
            f"max_bad_rows: {seen.missing[key]:,} rows ({shares[key]:.1%}) have no {key}; such rows go to quarantine, "
            f"and a file may have up to {most:.0%} of them."
        )
    named = {f"missing {key} id": most for key, most in allowed.items()}
    return {"max_bad_rows": {**named, OTHER: USUAL_BAD_ROWS}} if named else {}


def _without_lone_days(seen: Survey, bought: Found, settings: DataSettings, unsure: list[str]) -> dict[str, str]:
    """Take days that are probably typing errors from what was `seen`; returns the setting that leaves them out."""
    days = without_lone_days(seen.days)
    if days.height == seen.days.height:
        return {}
    first, last, rows = days["day"][0], days["day"][-1], int(seen.days["rows"].sum()) - int(days["rows"].sum())
    written = written_outside(bought.raw, settings, first, last)
    shown = ", ".join(written[:3]) + (", …" if len(written) > 3 else "")
    said = f"{counted(rows, 'row')} of days far from all others ({shown})"
    if len(written) > MOST_LEFT_OUT or bought.raw.is_parquet:
        unsure.append(f"last_day: {said}; data.last_day or data.where can leave them out.")
        return {}
    seen.days = days
    unsure.append(f"where: {said} left out as typing errors.")
    values = ", ".join("'" + text.replace("'", "''") + "'" for text in written)
    name = bought.columns["day"].replace('"', '""')
    return {"where": f'"{name}" NOT IN ({values})'}


def _found(tables: Mapping[TableName, Found], seen: Survey) -> dict[str, str]:
    said: dict[str, str] = {
        name: f"{found.raw.path.name}: " + ", ".join(f"{role} = {raw}" for role, raw in _columns(name, found).items())
        for name, found in tables.items()
    }
    days = f"{date_of(seen.first_day)} to {date_of(seen.last_day)}, {seen.weeks:,} whole weeks"
    return {
        **said,
        "purchases": f"{seen.rows:,} rows of {seen.ids['customer'].len():,} customers and "
        f"{seen.ids['article'].len():,} articles",
        "days": days,
    }


def _text(
    raw: Path, data: Mapping[str, Any], seen: Survey, tables: Mapping[TableName, Found], unsure: Sequence[str]
) -> str:
    """Write the config, each setting with what it is from."""
    extends = "base" if seen.ids["customer"].len() >= MANY else "small"
    why = {
        "raw": "folder of the raw files",
        "root": "folder of the data set",
        "files": "without their ending; null: there is no such file",
        "columns": "ours: the file's; a column that is missing here is not read",
        "article_pattern": "what a whole article id looks like",
        "date_format": f"such as {tables['transactions'].values('day')[0]}",
        "price_unit": "that all prices are multiples of",
        "week_starts": f"so that the last whole week ends with the last day, {date_of(seen.last_day)}",
        "channels": "that may occur, the most frequent first",
        "max_bad_rows": "share of a file's rows that may be bad, by reason",
        "clean_ids": "what is done to ids first",
        "where": "which rows are read",
    }
    lines = [
        f"# Proposed by `hmgpu init {raw}` from the files there: {seen.rows:,} rows up to {date_of(seen.last_day)}.",
        "# All settings and what they mean: docs/settings.md. What could not be told:",
        *(f"#   - {each}" for each in unsure or ["nothing"]),
        "",
        f"extends: {extends}",
        "",
        "data:",
    ]
    for key, value in data.items():
        comment = f"  # {why[key]}" if key in why else ""
        if isinstance(value, Mapping) and key == "columns":
            lines.append(f"  {key}:{comment}")
            lines += [f"    {table}: {dump_line(names)}" for table, names in value.items()]
        else:
            lines.append(f"  {key}: {dump_line(value)}{comment}")
    return "\n".join(lines) + "\n"
