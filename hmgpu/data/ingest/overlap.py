"""Keep days from being added twice: a day that is there with the same rows is skipped, one with other rows refused."""

from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.parquet import scan_table
from hmgpu.data.manifest import Manifest
from hmgpu.data.weeks import DAYS, date_of, week_of_file

SHOWN = 3  # days that a message names


class AbsorbedError(DataError):
    """The file to append is already in the data set."""


def known_days(new: pl.DataFrame, root: Path, there: Manifest, path: Path) -> list[int]:
    """Return the days of `new` (day, customer, article, price?, channel?) that the data set in `root` has.

    One week of the data set is in memory at a time. Raises DataError where such a day has other rows there: whichever
    are right, adding them up would count purchases twice.

    Args:
        path: the file of `new`, for the message.
    """
    days, known, differ = new["day"].unique(), list[int](), dict[int, tuple[int, int]]()
    for first, files in sorted(_weeks(there).items()):
        shared = days.filter(days.is_between(first, first + DAYS - 1))
        if shared.is_empty():
            continue
        within = pl.col("day").is_in(shared.implode())
        old = pl.concat([scan_table(root / name).select(new.columns) for name in files])
        before, now = old.filter(within).collect(), new.filter(within)
        held = before["day"].unique()
        known += held.to_list()
        differ |= _differing(before, now.filter(pl.col("day").is_in(held.implode())))
    if differ:
        raise DataError(_refusal(differ, path, root))
    return known


def _weeks(there: Manifest) -> dict[int, list[str]]:
    """The files of transactions by the first day of their week."""
    weeks = dict[int, list[str]]()
    for name in sorted(there.files):
        if name.startswith("transactions/"):
            weeks.setdefault(week_of_file(name).first_day, []).append(name)
    return weeks


def _differing(before: pl.DataFrame, now: pl.DataFrame) -> dict[int, tuple[int, int]]:
    """Number of rows before and now of each day on which they differ; the order of rows does not matter."""
    both = pl.concat([before.with_columns(was=1, new=0), now.with_columns(was=0, new=1)])
    rows = both.group_by(before.columns).agg(pl.col("was", "new").sum())
    days = rows.group_by("day").agg(pl.col("was", "new").sum(), differs=(pl.col("was") != pl.col("new")).any())
    return {day: (was, new) for day, was, new in days.filter("differs").drop("differs").sort("day").iter_rows()}


def _refusal(differ: dict[int, tuple[int, int]], path: Path, root: Path) -> str:
    told = [f"{date_of(day)} ({new:,} rows here, {was:,} there)" for day, (was, new) in differ.items()]
    more = f" and {len(told) - SHOWN} more days" if len(told) > SHOWN else ""
    return (
        f"{path} has days that the data set in {root} already has with other rows, so nothing was added, as purchases "
        f"would count twice: {', '.join(told[:SHOWN])}{more}; leave these days out of the file, or, where the file is "
        "right, build the data set again from files that have each day once (`hmgpu ingest --replace`)."
    )
