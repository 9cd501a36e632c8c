"""Days are read exactly as their format writes them, and in the time zone that is asked for."""

import datetime

import polars as pl
import pytest

from hmgpu.data.date_formats import DateFormat


def read(codes: str, *texts: str | None, zone: str | None = None) -> list[str | None]:
    days = pl.DataFrame({"day": texts}, schema={"day": pl.String}).select(DateFormat(codes, zone).read(pl.col("day")))
    assert days.schema == {"day": pl.Int32}
    return days.to_series().cast(pl.Date).cast(pl.String).to_list()


DAY = "2020-09-07"


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ("%Y-%m-%d", "2020-09-07"),
        ("%d.%m.%Y", "07.09.2020"),
        ("%-d.%-m.%Y", "7.9.2020"),
        ("%m/%d/%Y %I:%M %p", "09/07/2020 10:15 PM"),
        ("%Y%m%d", "20200907"),
        ("%d-%b-%y", "07-Sep-20"),
        ("%d %B %Y", "07 September 2020"),
        ("%F %T", "2020-09-07 23:59:59"),
        ("%Y-%m-%d %H:%M:%S.%f", "2020-09-07 23:59:59.123456"),
        ("%Y-%m-%dT%H:%M:%S%.3f", "2020-09-07T23:59:59.123"),
        ("%Y-%m-%dT%H:%M:%SZ", "2020-09-07T23:59:59Z"),
        ("%Y-%j", "2020-251"),
        ("%Y (%m) %d", "2020 (09) 07"),
    ],
)
def test_a_day_in_many_formats(codes: str, text: str) -> None:
    assert DateFormat(codes).is_complete()
    assert read(codes, text, None) == [DAY, None]
    written = DateFormat(codes).write(pl.Series([datetime.date(2020, 9, 7), None]))
    assert read(codes, *written) == [DAY, None]


@pytest.mark.parametrize("text", ["2020-9-7", "2020- 9- 7", " 2020-09-07", "2020-09-07 ", "2020-02-30", "20-09-07", ""])
def test_other_ways_to_write_a_day_are_not_this_one(text: str) -> None:
    assert read("%Y-%m-%d", text) == [None]


OFFSETS = ["2020-09-07T23:30:00+02:00", "2020-09-07T23:30:00-0500", "2020-09-07T23:30:00Z", "2020-09-07T00:30:00+02"]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        (None, ["07", "07", "07", "07"]),
        ("Europe/Stockholm", ["07", "08", "08", "07"]),
        ("America/New_York", ["07", "08", "07", "06"]),
        ("Pacific/Kiritimati", ["08", "08", "08", "07"]),
    ],
)
def test_an_offset_counts_only_where_a_zone_is_set(zone: str | None, days: list[str]) -> None:
    codes = "%Y-%m-%dT%H:%M:%S%z"
    assert DateFormat(codes, zone).is_complete()
    assert read(codes, *OFFSETS, None, DAY, zone=zone) == [*(f"2020-09-{day}" for day in days), None, None]


def test_an_offset_anywhere() -> None:
    assert read("%z %Y-%m-%d", "+02:00 2020-09-07", "-0500 2020-09-07") == [DAY, DAY]
    assert read("%Y-%m-%d %H:%M (%z)", "2020-09-07 01:00 (+05:30)", zone="UTC") == ["2020-09-06"]


@pytest.mark.parametrize("codes", ["%Y-%m", "today", "", "%d.%m.", "%H", "%Q", "%Y-%m-%d %H", "%%Y", "%", "%Y-%m-%d%"])
def test_what_does_not_write_a_day(codes: str) -> None:
    assert not DateFormat(codes).is_complete()
