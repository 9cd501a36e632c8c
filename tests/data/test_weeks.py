"""Days and weeks as integers."""

import datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.data.settings import Weekday
from hmgpu.data.weeks import Week, date_of, day_number, weekday_of

days = st.integers(-100_000, 100_000)
weekdays = st.sampled_from(get_args(Weekday))


def test_hms_last_week():
    # 2020-09-22 is a Tuesday, the last day of the week that began on Wednesday 2020-09-16.
    last = day_number(datetime.date(2020, 9, 22))
    week = Week.containing(last, "wednesday")
    assert str(week) == "2020-09-16"
    assert week.last_day == last
    assert str(Week.containing(last + 1, "wednesday")) == "2020-09-23"
    assert str(Week.containing(last, "monday")) == "2020-09-21"


def test_day_zero_is_a_thursday():
    assert date_of(0) == datetime.date(1970, 1, 1)
    assert Week.containing(0, "thursday") == Week(0)
    assert Week.containing(0, "friday") == Week(-6)


@given(day=days)
def test_days_and_dates_are_each_others_inverse(day):
    assert day_number(date_of(day)) == day
    assert date_of(day + 1) - date_of(day) == datetime.timedelta(days=1)


@given(day=days, starts=weekdays)
def test_a_week_holds_its_day_and_starts_on_its_weekday(day, starts):
    week = Week.containing(day, starts)
    assert week.first_day <= day <= week.last_day == week.first_day + 6
    assert date_of(week.first_day).strftime("%A").lower() == starts
    assert {Week.containing(other, starts) for other in range(week.first_day, week.last_day + 1)} == {week}


@given(day=days, weeks=st.integers(0, 60))
def test_weeks_back_follow_each_other(day, weeks):
    assert Week(day).back(0) == Week(day)
    assert Week(day).back(weeks + 1).last_day + 1 == Week(day).back(weeks).first_day
    assert Week(day).back(weeks + 1) < Week(day)


@pytest.mark.parametrize(("day", "name"), [(0, "1970-01-01"), (18_521, "2020-09-16")])
def test_a_week_is_named_by_its_first_day(day, name):
    assert str(Week(day)) == name


@given(day=days)
def test_a_week_starts_on_its_own_weekday(day):
    assert Week.containing(day, weekday_of(day)) == Week(day)
    assert weekday_of(day) == date_of(day).strftime("%A").lower()
