"""The weeks of a pipeline, and what is said at once where the data is too short for them."""

import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.store import Store
from hmgpu.experiments.folds import fold_pipelines
from hmgpu.pipeline.config import Config, WeekSettings
from hmgpu.pipeline.quotas import Quotas
from hmgpu.pipeline.schedule import Schedule, check_folds, most_training_weeks, scored_weeks

CPU = Engine("cpu", "tests")


def taking(config: Config, train: int, **others: object) -> Config:
    return config.model_copy(update={"weeks": WeekSettings(train=train), **others})


def test_as_many_training_weeks_fit_as_have_a_past(config: Config, store: Store) -> None:
    for quotas in (None, Quotas(weeks=3)):
        given = config.model_copy(update={"quotas": quotas})
        fit = most_training_weeks(given, store, store.last_complete_week)
        schedule = Schedule.of(taking(given, fit), store)
        store.as_of(schedule.oldest.first_day)  # something is known before it
        with pytest.raises(DataError, match="Nothing is known before"):
            store.as_of(schedule.oldest.back(1).first_day)
        with pytest.raises(DataError, match=rf"weeks\.train is {fit + 1}, but at most {fit} weeks can be taken before"):
            Schedule.of(taking(given, fit + 1), store)
    with pytest.raises(DataError, match=r"no week can be taken .*, and quotas take 999 more \(quotas\.weeks\)\.$"):
        Schedule.of(taking(config, 1, quotas=Quotas(weeks=999)), store)


def test_a_gap_takes_days_from_the_past(config: Config, store: Store) -> None:
    late = Store(store.root, gap=7)
    fit = most_training_weeks(config, store, store.last_complete_week)
    assert most_training_weeks(config, late, store.last_complete_week) == fit - 1
    late.as_of(Schedule.of(taking(config, fit - 1), late).oldest.first_day)


def test_as_many_folds_fit_as_have_training_weeks_with_a_past(config: Config, store: Store) -> None:
    fit = most_training_weeks(config, store, store.last_complete_week) - config.weeks.train
    check_folds(config, store, fit)
    oldest = store.last_complete_week.back(fit - 1)
    weeks = config.weeks.model_copy(update={"validation": str(oldest.back(1))})
    Schedule.of(config.model_copy(update={"weeks": weeks}), store)
    said = rf"{fit + 1} folds don't fit: at most {fit} folds can be taken, since .*, weeks\.train is 2, and one more"
    with pytest.raises(DataError, match=said):
        fold_pipelines(config, CPU, fit + 1)


def test_folds_end_with_the_validation_week_that_is_named(config: Config, store: Store) -> None:
    last = store.last_complete_week.back(3)
    weeks = config.weeks.model_copy(update={"validation": str(last)})
    named = config.model_copy(update={"weeks": weeks})
    assert scored_weeks(named, store, 2) == [last.back(1), last]
    found = [*fold_pipelines(named, CPU, 2)]
    assert [(week, pipeline.weeks.validation) for pipeline, week in found] == [
        (last.back(1), last.back(2)),
        (last, last.back(1)),
    ]
    fit = most_training_weeks(config, store, last) - config.weeks.train
    check_folds(named, store, fit)
    with pytest.raises(DataError, match=rf"{fit + 1} folds don't fit: at most {fit} folds"):
        check_folds(named, store, fit + 1)
