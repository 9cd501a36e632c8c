"""Several rankers, and a small one, the stacker, that learns from an earlier week how far to trust each of them.

Stacked generalisation (Wolpert 1992); which weeks each of them is fitted on is in `models/stacking.py`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from hmgpu.parts.from_yaml import parts_of
from hmgpu.parts.models.stacking import STACKER, Stacking
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.xgboost import XGBoost


class Stack(Stacking):
    """Several rankers, and a stacker that ranks by their scores and places."""

    rankers: Annotated[dict[str, Ranker], Field(min_length=1)] = {  # noqa: RUF012 (pydantic copies it)
        "lambdarank": XGBoost(),
        "classifier": XGBoost(objective="binary:logistic"),
    }
    """The rankers, each under a name of your choice with its kind and settings."""
    stacker: Ranker = XGBoost(rounds=200, learning_rate=0.1, depth=3, columns=1.0)
    """The ranker that gives the final order; it sees only the other rankers' scores and places."""

    @field_validator("rankers", mode="before")
    @classmethod
    def _build_rankers(cls, given: Any) -> Any:
        if isinstance(given, dict) and STACKER in given:
            raise ValueError(f"'{STACKER}' names the ranker above the others already; give this one another name")
        return parts_of(Ranker, given)

    @property
    def stacked(self) -> Mapping[str, Ranker]:
        return self.rankers

    @property
    def inner(self) -> tuple[Ranker, ...]:
        return (*self.rankers.values(), self.stacker)

    def settings(self) -> dict[str, Any]:
        rankers = {name: ranker.settings() for name, ranker in self.rankers.items()}
        return super().settings() | {"rankers": rankers, STACKER: self.stacker.settings()}
