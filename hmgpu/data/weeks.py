"""Days and weeks as integers."""

import datetime
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import get_args

from hmgpu.data.settings import Weekday

EPOCH = datetime.date(1970, 1, 1)  # a Thursday
DAYS = 7
"""Days in a week."""
YEAR = 364
"""Days in 52 whole weeks, so that a year ago is the same weekday."""


def day_number(date: datetime.date) -> int:
    """Return the days from 1970-01-01 to `date`."""
    return (date - EPOCH).days


def date_of(day: int) -> datetime.date:
    """Return the calendar date of a day number."""
    return EPOCH + datetime.timedelta(days=day)


def weekday_of(day: int) -> Weekday:
    """Return the weekday of a day number."""
    return get_args(Weekday)[(day + EPOCH.weekday()) % DAYS]  # type: ignore[no-any-return]


@dataclass(frozen=True, order=True)
class Week:
    """Seven days, named by the first one."""

    first_day: int

    @staticmethod
    def containing(day: int, starts: Weekday) -> "Week":
        """Return the week that contains `day`, when weeks start on the weekday `starts`."""
        monday_based = (day + EPOCH.weekday()) % DAYS
        return Week(day - (monday_based - get_args(Weekday).index(starts)) % DAYS)

    @property
    def last_day(self) -> int:
        return self.first_day + DAYS - 1

    def back(self, weeks: int) -> "Week":
        """Return the week that is `weeks` weeks before this one."""
        return Week(self.first_day - DAYS * weeks)

    def __str__(self) -> str:
        return date_of(self.first_day).isoformat()


def week_of_file(name: str) -> Week:
    """Return the week of a file `transactions/week=YYYY-MM-DD/….parquet` of a data set."""
    return Week(day_number(datetime.date.fromisoformat(PurePosixPath(name).parent.name.removeprefix("week="))))
