"""The weeks of a pipeline: the validation week, the training weeks before it, the quota weeks before those."""

from dataclasses import dataclass

from hmgpu.core.errors import DataError
from hmgpu.data.store import Store
from hmgpu.data.weeks import DAYS, Week, date_of
from hmgpu.pipeline.config import Config


@dataclass(frozen=True)
class Schedule:
    """The weeks of one pipeline, each tuple oldest first."""

    validation: Week
    """The week that stops the fit, and that is scored unless another is asked for."""
    training: tuple[Week, ...]
    quotas: tuple[Week, ...]
    """Weeks that the quotas are learned from; empty without quotas."""

    @classmethod
    def of(cls, config: Config, store: Store) -> "Schedule":
        """Return the weeks of `config`, counted back from its validation week or the data's last complete week.

        Raises DataError where the data holds no purchases before the oldest of them, with how many weeks fit.
        """
        validation = validation_week(config, store)
        fit = most_training_weeks(config, store, validation)
        if config.weeks.train > fit:
            raise DataError(
                f"weeks.train is {config.weeks.train}, but {_said(fit)} before the validation week {validation}: the "
                f"data in {store.root} starts on {date_of(store.manifest.first_day)}{_for_quotas(config)}."
            )
        oldest = validation.back(config.weeks.train)
        quota_weeks = config.quotas.weeks if config.quotas else 0
        return cls(
            validation,
            tuple(validation.back(weeks) for weeks in range(config.weeks.train, 0, -1)),
            tuple(oldest.back(weeks) for weeks in range(quota_weeks, 0, -1)),
        )

    @property
    def oldest(self) -> Week:
        """Return the oldest of all weeks: workflows and models are fitted on what was known before it."""
        return (*self.quotas, *self.training)[0]


def validation_week(config: Config, store: Store) -> Week:
    """Return the validation week of `config`: the one that it names, or the data's last complete week."""
    named = config.weeks.validation
    return store.week_of(named) if named else store.last_complete_week


def scored_weeks(config: Config, store: Store, count: int) -> list[Week]:
    """Return the `count` weeks up to the validation week of `config`, which is the last of them."""
    last = validation_week(config, store)
    return [last.back(weeks) for weeks in reversed(range(count))]


def most_training_weeks(config: Config, store: Store, validation: Week) -> int:
    """Return how many training weeks fit before `validation`, with purchases before the oldest week; 0 or less: none.

    Weeks that quotas are learned from are left for them.
    """
    known = (validation.first_day - store.gap - store.manifest.first_day - 1) // DAYS
    return known - (config.quotas.weeks if config.quotas else 0)


def check_folds(config: Config, store: Store, folds: int) -> None:
    """Raise DataError where the data holds fewer than `folds` weeks that `config` can be scored on, with how many."""
    train = 1 if "train" in config.weeks.auto else config.weeks.train
    fit = most_training_weeks(config, store, validation_week(config, store)) - train
    if folds > fit:
        trained = f"weeks.train is {train}, and one more week stops each fit"
        raise DataError(
            f"{folds} folds don't fit: {_said(fit, 'fold')}, since the data in {store.root} starts on "
            f"{date_of(store.manifest.first_day)}, {trained}{_for_quotas(config)}."
        )


def _said(fit: int, what: str = "week") -> str:
    return f"at most {fit} {what}{'s' * (fit != 1)} can be taken" if fit > 0 else f"no {what} can be taken"


def _for_quotas(config: Config) -> str:
    return f", and quotas take {config.quotas.weeks} more (quotas.weeks)" if config.quotas else ""
