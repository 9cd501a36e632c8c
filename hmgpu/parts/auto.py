"""Settings that a shop's own rhythm decides: `auto` in a config, a number as soon as the data are measured.

No two shops have one rhythm: what is bought again after a week here is bought again after a year there, a basket holds
two articles or thirty. A setting that takes `auto` names how its number follows from what is measured.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, PrivateAttr, model_serializer, model_validator

AUTO = "auto"


@dataclass(frozen=True)
class Rhythm:
    """What is measured in the last weeks before everything that a run learns from; see `pipeline/rhythm.py`."""

    repeat_half_life: float
    """Days: with this half-life, own past articles are in the order in which they are bought again soonest."""
    repeat_places: int
    """First places of own past articles, in that order, that hold nine in ten of those bought again."""
    turnover_half_life: float
    """Days: with this half-life, past best sellers hold most of what is bought next."""
    basket: float
    """Different articles that a buyer buys in a week, on average."""
    purchases_a_day: float
    """Units that all customers buy in a day."""
    recalled_a_week: float
    """Purchases a week that are among the customer's own past articles or the best sellers."""
    weeks: int
    """Training weeks."""
    k: int = 12
    """Articles of a list."""

    @property
    def positives(self) -> float:
        """Examples that were bought, in all training weeks together."""
        return self.recalled_a_week * self.weeks


@dataclass(frozen=True)
class Measured:
    """Marks a setting that takes `auto`, in its annotation."""

    number: Callable[[Rhythm], float]
    """Returns the setting's number for a shop."""


def between(least: int, number: float, most: int) -> int:
    """Return the whole number nearest to `number` from `least` to `most`."""
    return min(max(round(number), least), most)


RepeatHalfLife = Annotated[float, Field(gt=0), Measured(lambda rhythm: rhythm.repeat_half_life)]
TurnoverHalfLife = Annotated[float, Field(gt=0), Measured(lambda rhythm: rhythm.turnover_half_life)]


class Adaptable(BaseModel):
    """Settings some of which may be `auto`. Until they are measured, the fields hold their defaults instead."""

    _auto: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def auto(self) -> frozenset[str]:
        """Names of the settings that wait to be measured."""
        return self._auto

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with `update` put over the fields; what gets a value no longer waits."""
        copy = super().model_copy(update=update, deep=deep)
        copy._auto = self._auto - set(update or ())
        return copy

    def measured(self, rhythm: Rhythm | None) -> Self:
        """Return these settings, and those of all parts within, with a number for every `auto`.

        Args:
            rhythm: None where the data are too short to measure anything: the defaults hold.
        """
        marks = _marks(type(self))
        found: dict[str, Any] = {name: marks[name].number(rhythm) for name in self._auto} if rhythm else {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Adaptable):
                found[name] = value.measured(rhythm)
            elif isinstance(value, Mapping) and any(isinstance(each, Adaptable) for each in value.values()):
                found[name] = {key: each.measured(rhythm) for key, each in value.items()}
        copy = self.model_copy(update=found)
        copy._auto = frozenset()  # also where nothing could be measured
        return copy

    def waiting(self) -> Iterator[str]:
        """Yield the place of every setting here and within that waits to be measured, such as `then.depth`."""
        yield from sorted(self._auto)
        for name in type(self).model_fields:
            value = getattr(self, name)
            inner = value.items() if isinstance(value, Mapping) else [("", value)]
            for key, each in inner:
                if isinstance(each, Adaptable):
                    yield from (".".join(filter(None, (name, key, place))) for place in each.waiting())

    @model_validator(mode="wrap")
    @classmethod
    def _leave_open(cls, given: Any, validate: Callable[[Any], Any]) -> Any:
        if not isinstance(given, Mapping):
            return validate(given)
        marks = _marks(cls)
        waiting = {name for name, value in given.items() if name in marks and isinstance(value, str) and value == AUTO}
        made = validate({name: value for name, value in given.items() if name not in waiting})
        if waiting:
            made._auto = frozenset(waiting)
        return made

    @model_serializer(mode="wrap")
    def _say_auto(self, dump: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        dumped = dump(self)
        return {name: AUTO if name in self._auto else value for name, value in dumped.items()}


def _marks(model: type[BaseModel]) -> dict[str, Measured]:
    """Return the settings of `model` that take `auto`."""
    return {
        name: mark
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Measured)
    }
