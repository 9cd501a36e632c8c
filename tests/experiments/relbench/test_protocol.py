"""The days of RelBench's H&M tasks."""

import datetime

from hmgpu.data.weeks import day_number
from hmgpu.experiments.relbench.protocol import TEST, VALIDATION, training_origins


def test_a_week_is_the_seven_days_after_its_monday() -> None:
    assert (str(VALIDATION.week), str(TEST.week)) == ("2020-09-08", "2020-09-15")
    assert TEST.back(1) == VALIDATION
    assert VALIDATION.timestamp == datetime.datetime(2020, 9, 7)
    assert TEST.week_before == VALIDATION.week
    assert VALIDATION.week_before.last_day == VALIDATION.day


def test_training_origins_are_all_that_the_data_reach() -> None:
    """As pandas counts them back from the validation origin: 2019-09-09 is the first on or after 2019-09-07."""
    origins = training_origins(day_number(datetime.date(2019, 9, 7)))
    assert len(origins) == 52
    assert (str(origins[0].timestamp.date()), str(origins[-1].timestamp.date())) == ("2019-09-09", "2020-08-31")
    assert training_origins(origins[0].day)[0] == origins[0]
