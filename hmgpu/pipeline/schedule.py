"""The weeks of a pipeline: the validation week, the training weeks before it, the quota weeks before those."""

from dataclasses import dataclass

from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
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
        """Return the weeks of `config`, counted back from its validation week or the data's last complete week."""
        named = config.weeks.validation
        validation = store.week_of(named) if named else store.last_complete_week
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
