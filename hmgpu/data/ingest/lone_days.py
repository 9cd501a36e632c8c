"""Notice days that are probably typing errors: a few rows long before or after all others, or after today."""

import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.words import counted
from hmgpu.data.weeks import DAYS, date_of, day_number

FEW = 0.01  # share of the rows


def lone_days(days: pl.Series) -> list[str]:
    """Return warnings about a few of `days`, the day of every row, that lie more than a week apart from the others."""
    counts = days.value_counts(name="rows").sort(days.name)
    known, rows = counts[days.name].to_numpy(), counts["rows"].to_numpy()
    before, after = _gaps(known, rows)
    warnings = []
    today = day_number(datetime.date.today())
    if after:
        first, last = known[after[0]], known[after[0] - 1]
        warnings.append(
            f"{_rows(rows[after[0] :])} of {date_of(int(first))} or later, {first - last:,} days after all "
            f"others, so the last weeks have no sales: if they are wrong, set `data.last_day` to {date_of(int(last))}."
        )
    elif known[-1] > today:
        warnings.append(
            f"{_rows(rows[known > today])} of days after today, up to {date_of(int(known[-1]))}: if they are wrong, "
            "set `data.last_day` to the last day of the data."
        )
    if before:
        first, last = known[before[-1]], known[before[-1] - 1]
        warnings.append(
            f"{_rows(rows[: before[-1]])} of {date_of(int(last))} or earlier, {first - last:,} days before "
            "all others: if they are wrong, leave them out with `data.where`."
        )
    return warnings


def without_lone_days(counts: pl.DataFrame) -> pl.DataFrame:
    """Return `counts` (day, rows), sorted by day, without the few rows that lie far from all others."""
    before, after = _gaps(counts["day"].to_numpy(), counts["rows"].to_numpy())
    first, end = before[-1] if before else 0, after[0] if after else counts.height
    return counts[first:end]


def _gaps(known: npt.NDArray[np.int32], rows: npt.NDArray[np.uint32]) -> tuple[list[int], list[int]]:
    """The positions in `known`, sorted days, of the first day after each gap that has few rows before or after it."""
    few = max(1, int(FEW * int(rows.sum())))
    gaps = (np.flatnonzero(np.diff(known) > DAYS) + 1).tolist()
    return [gap for gap in gaps if rows[:gap].sum() <= few], [gap for gap in gaps if rows[gap:].sum() <= few]


def _rows(counts: npt.NDArray[np.uint32]) -> str:
    return counted(int(counts.sum()), "row")
