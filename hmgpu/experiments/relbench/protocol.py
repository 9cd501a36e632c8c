"""The weeks of RelBench's H&M tasks (rel-hm of relbench 3.0.2), and what a config must say to keep to them.

A task is asked at an origin, a Monday: about the seven days after it, from rows of the days before it. The database
holds the origin's own rows, too, but the rules of RelBench's board allow none "at or after the prediction time".
"""

import datetime
from dataclasses import dataclass

from hmgpu.core.errors import ConfigError
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week, date_of, day_number
from hmgpu.pipeline.config import Config

K = 12
"""Articles in a list (RelBench's `eval_k`)."""
SINCE = datetime.date(2019, 9, 7)
"""First day of the database."""


@dataclass(frozen=True, order=True)
class Origin:
    """A Monday on which the tasks are asked."""

    day: int
    """In days since 1970-01-01."""

    @property
    def week(self) -> Week:
        """Return the seven days after it, which are predicted."""
        return Week(self.day + 1)

    @property
    def week_before(self) -> Week:
        """Return the seven days that end with it."""
        return self.week.back(1)

    def back(self, weeks: int) -> "Origin":
        """Return the origin so many weeks before."""
        return Origin(self.week.back(weeks).first_day - 1)

    @property
    def timestamp(self) -> datetime.datetime:
        """Return its first moment, as RelBench's tables have it."""
        return datetime.datetime.combine(date_of(self.day), datetime.time())


VALIDATION = Origin(day_number(datetime.date(2020, 9, 7)))
TEST = Origin(day_number(datetime.date(2020, 9, 14)))


def training_origins(first_day: int) -> list[Origin]:
    """Return the origins of RelBench's training tables, oldest first: every week from `first_day` of the data on."""
    weeks = (VALIDATION.day - first_day) // 7
    return [VALIDATION.back(weeks) for weeks in range(weeks, 0, -1)]


def check_config(config: Config) -> None:
    """Raise ConfigError where the config's weeks are others than RelBench's, or its lists of another length."""
    for place, found, wanted in (
        ("data.week_starts", config.data.week_starts, "tuesday"),
        ("weeks.validation", config.weeks.validation, str(VALIDATION.week)),
        ("weeks.gap", config.weeks.gap, 1),
        ("lists.k", config.lists.k, K),
    ):
        if found != wanted:
            raise ConfigError(
                f"{place} is {found}, and RelBench's protocol asks for {wanted}: set it so, or let the config extend "
                "the recipe `relbench`."
            )


def check_data(store: Store) -> None:
    """Raise ConfigError where the data begin on another day than RelBench's database or end before the test week."""
    first, last = date_of(store.manifest.first_day), store.last_day
    if first < SINCE:
        raise ConfigError(
            f"The data in {store.root} start on {first}, and RelBench's database on {SINCE}: set data.where to "
            f"\"t_dat >= '{SINCE}'\" and ingest again."
        )
    if last < TEST.week.last_day:
        raise ConfigError(
            f"The data in {store.root} end on {date_of(last)}, and RelBench's test week on "
            f"{date_of(TEST.week.last_day)}: these are not all of H&M's purchases."
        )
