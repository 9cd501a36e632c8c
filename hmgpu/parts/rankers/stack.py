"""Several rankers, and a small one, the stacker, that learns from an earlier week how far to trust each of them.

Stacked generalisation (Wolpert 1992). The rankers are fitted on all training weeks but the last; the stacker is fitted
on their scores and places for that last week, which none of them has seen. It gets every candidate of that week, since
a place among a sample of them would mean something else than in serving.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, field_validator

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.from_yaml import part_of, parts_of
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.parts.rankers.xgboost import XGBoost

STACKER = "stacker"


class Stack(Ranker):
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

    @field_validator(STACKER, mode="before")
    @classmethod
    def _build_stacker(cls, given: Any) -> Any:
        return part_of(Ranker, given)

    @field_validator(STACKER)
    @classmethod
    def _learns_from_scores_of_one_week(cls, stacker: Ranker) -> Ranker:
        if stacker.needs_lists:
            raise ValueError(
                "a stacker has one week to learn from, and stack and guard need two; choose another ranker"
            )
        if stacker.needs_worth or stacker.needs_codes:
            raise ValueError("a stacker sees only the rankers' scores and places, no worth and no codes of categories")
        return stacker

    @property
    def inner(self) -> tuple[Ranker, ...]:
        return (*self.rankers.values(), self.stacker)

    @property
    def keeps(self) -> int | None:
        return self.stacker.keeps

    @property
    def needs_lists(self) -> int:
        return 1 + max(ranker.needs_lists for ranker in self.rankers.values())

    @property
    def most_lists(self) -> int | None:
        return None

    def settings(self) -> dict[str, Any]:
        rankers = {name: ranker.settings() for name, ranker in self.rankers.items()}
        return super().settings() | {"rankers": rankers, STACKER: self.stacker.settings()}

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "StackModel":
        earlier, last = training.before_last_week(), training.last_lists()
        if not earlier.files:
            raise ConfigError("ranker.kind: a stack is fitted on the last training week; set weeks.train to 2 or more.")
        fitted = {name: each.fit(earlier, validation, engine, seed, client) for name, each in self.rankers.items()}
        with tempfile.TemporaryDirectory() as folder:
            opinions = partial(_labelled_opinions, fitted)
            lists = last.rewritten(Path(folder) / "lists", opinions)
            stopping = validation.rewritten(Path(folder) / "validation", opinions)
            return StackModel(fitted, self.stacker.fit(lists, stopping, engine, seed, client))

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> "StackModel":
        assert isinstance(fitted, StackModel)
        earlier, last = training.before_last_week(), training.last_lists()
        again = {
            name: each.refit(fitted.models[name], earlier, engine, seed, client) for name, each in self.rankers.items()
        }
        with tempfile.TemporaryDirectory() as folder:
            lists = last.rewritten(Path(folder) / "lists", partial(_labelled_opinions, again))
            return StackModel(again, self.stacker.refit(fitted.stacker, lists, engine, seed, client))

    def load(self, folder: Path, engine: Engine) -> "StackModel":
        loaded = {name: ranker.load(folder / name, engine) for name, ranker in self.rankers.items()}
        return StackModel(loaded, self.stacker.load(folder / STACKER, engine))


@dataclass(frozen=True)
class StackModel(Model):
    """The fitted rankers and the fitted stacker."""

    models: Mapping[str, Model]
    stacker: Model

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the stacker's scores; `examples` must hold all candidates of each customer."""
        return self.stacker.score(_opinions(self.models, examples))

    def save(self, folder: Path) -> None:
        for name, model in (*self.models.items(), (STACKER, self.stacker)):
            (folder / name).mkdir()
            model.save(folder / name)


def _opinions(models: Mapping[str, Model], examples: pl.DataFrame) -> pl.DataFrame:
    """Return (customer, article, each ranker's score and the candidate's place by it), one row for each example."""
    scored = examples.select(*KEYS, **{f"{name}_margin": model.score(examples) for name, model in models.items()})
    places = {
        f"{name}_place": pl.col(f"{name}_margin").rank("ordinal", descending=True).over("customer").cast(pl.Int32)
        for name in models
    }
    return scored.with_columns(**places)


def _labelled_opinions(models: Mapping[str, Model], examples: pl.DataFrame) -> pl.DataFrame:
    return _opinions(models, examples).with_columns(examples[LABEL])
