"""A few rows long before or after all others are told."""

import datetime

import polars as pl
import pytest
from small_world import SmallShop, article_id, customer_id, price

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.ingest.lone_days import lone_days
from hmgpu.data.weeks import day_number


def told(*spans: tuple[str, int, int]) -> list[str]:
    """The warnings about spans of days: first day, number of days, rows a day."""
    days = [day_number(datetime.date.fromisoformat(first)) + n for first, count, rows in spans for n in range(count)
            for _ in range(rows)]  # fmt: skip
    return lone_days(pl.Series("day", days, pl.Int32))


YEAR = ("2019-09-01", 365, 10)  # to 2020-08-30


@pytest.mark.parametrize("last", ["2099-12-31", "2020-09-29", "2020-09-07"])
def test_a_row_after_all_others(last: str) -> None:
    (warning,) = told(YEAR, (last, 1, 1))
    assert warning.startswith(f"1 row of {last} or later, ")
    assert "set `data.last_day` to 2020-08-30." in warning


def test_a_row_before_all_others() -> None:
    (warning,) = told(("1970-01-01", 1, 2), YEAR)
    assert warning.startswith("2 rows of 1970-01-01 or earlier, 18,140 days before all others")
    assert "`data.where`" in warning


def test_both_and_several() -> None:
    after, before = told(("1970-01-01", 1, 1), ("1999-01-01", 2, 1), YEAR, ("2021-01-01", 1, 1), ("2030-01-01", 1, 1))
    assert after.startswith("2 rows of 2021-01-01 or later, 124 days")
    assert before.startswith("3 rows of 1999-01-02 or earlier")


@pytest.mark.parametrize(
    "spans", [[YEAR], [("2020-01-01", 1, 1)], [YEAR, ("2020-09-06", 1, 1)], [YEAR, ("2020-10-01", 5, 10)]]
)
def test_what_is_usual(spans: list[tuple[str, int, int]]) -> None:
    assert told(*spans) == []


def test_days_after_today() -> None:
    today = datetime.date.today()
    (warning,) = told((str(today - datetime.timedelta(20)), 25, 10))
    assert "40 rows of days after today" in warning


def test_a_last_day_puts_later_rows_into_quarantine(shop: SmallShop) -> None:
    rows = [*shop.read("transactions"), ["2099-12-31", customer_id(1), article_id(1), price(7), "1"]]
    shop.write("transactions", rows)
    summary = ingest(shop.settings())
    assert "1 row of 2099-12-31" in str(summary)
    given = shop.settings(last_day="2020-09-20")
    with pytest.raises(DataError, match="--replace"):
        ingest(given)
    summary = ingest(given, replace=True)
    assert (summary.rows, summary.bad_rows, summary.warnings) == (40, {"date after data.last_day": 1}, ())
    assert ingest(given).action == "already there"
    week = shop.raw.parent / "week.csv"
    week.write_text(f"{','.join(rows[0])}\n2020-09-22,{customer_id(1)},{article_id(1)},{price(7)},1\n")
    with pytest.raises(DataError, match=r"`data\.last_day` must not lie before"):
        append(given, week)
    later = shop.settings(last_day="2020-09-22")
    append(later, week)
    assert ingest(later).action == "already there"  # the same rows are kept
    with pytest.raises(DataError, match="--replace"):
        ingest(shop.settings())
