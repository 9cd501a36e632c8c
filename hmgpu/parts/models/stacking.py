"""The common base of rankers under a small one that learns from a later week how far to trust each of them.

Stacked generalisation (Wolpert 1992). The rankers are fitted on all training weeks but the last; the stacker is fitted
on their scores and places for that last week, which none of them has seen. It gets every candidate of that week, since
a place among a sample of them would mean something else than in serving.
"""

import tempfile
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import field_validator

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.from_yaml import part_of
from hmgpu.parts.ranker import Model, Ranker

STACKER = "stacker"


class Stacking(Ranker):
    """Several rankers, and a stacker that ranks by their scores and places."""

    stacker: Ranker

    @property
    @abstractmethod
    def stacked(self) -> Mapping[str, Ranker]:
        """The rankers under the stacker, by name."""

    def drawn(self, name: str, examples: Examples, seed: int, folder: Path) -> Examples:
        """Return the examples that the ranker called `name` is fitted on, which may be written into `folder`."""
        return examples

    @field_validator(STACKER, mode="before")
    @classmethod
    def _build_stacker(cls, given: Any) -> Any:
        return part_of(Ranker, given)

    @field_validator(STACKER)
    @classmethod
    def _learns_from_scores_of_one_week(cls, stacker: Ranker) -> Ranker:
        if stacker.needs_lists:
            raise ValueError(
                "a stacker has one week to learn from, and stack, bagged and guard need two; choose another ranker"
            )
        if stacker.needs_worth or stacker.needs_families or stacker.goes_by_any:
            raise ValueError(
                "a stacker sees only the rankers' scores and places, no worth, no retrievers and no codes of categories"
            )
        return stacker

    @property
    def keeps(self) -> int | None:
        return self.stacker.keeps

    @property
    def needs_lists(self) -> int:
        return 1 + max(ranker.needs_lists for ranker in self.stacked.values())

    @property
    def most_lists(self) -> int | None:
        return None

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "StackModel":
        earlier, last = training.before_last_week(), training.last_lists()
        if not earlier.files:
            raise ConfigError(
                f"ranker.kind: {self.kind} is fitted on the last training week; set weeks.train to 2 or more."
            )
        fitted = dict[str, Model]()
        for name, each in self.stacked.items():
            with tempfile.TemporaryDirectory() as folder:
                own = self.drawn(name, earlier, seed, Path(folder))
                fitted[name] = each.fit(own, validation, engine, seed, client)
        with tempfile.TemporaryDirectory() as folder:
            opinions = partial(_labelled_opinions, fitted)
            lists = last.rewritten(Path(folder) / "lists", opinions)
            stopping = validation.rewritten(Path(folder) / "validation", opinions)
            return StackModel(fitted, self.stacker.fit(lists, stopping, engine, seed, client))

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> "StackModel":
        assert isinstance(fitted, StackModel)
        earlier, last = training.before_last_week(), training.last_lists()
        again = dict[str, Model]()
        for name, each in self.stacked.items():
            with tempfile.TemporaryDirectory() as folder:
                own = self.drawn(name, earlier, seed, Path(folder))
                again[name] = each.refit(fitted.models[name], own, engine, seed, client)
        with tempfile.TemporaryDirectory() as folder:
            lists = last.rewritten(Path(folder) / "lists", partial(_labelled_opinions, again))
            return StackModel(again, self.stacker.refit(fitted.stacker, lists, engine, seed, client))

    def load(self, folder: Path, engine: Engine) -> "StackModel":
        loaded = {name: ranker.load(folder / name, engine) for name, ranker in self.stacked.items()}
        return StackModel(loaded, self.stacker.load(folder / STACKER, engine))


@dataclass(frozen=True)
class StackModel(Model):
    """The fitted rankers and the fitted stacker."""

    models: Mapping[str, Model]
    stacker: Model

    @property
    def within(self) -> Mapping[str, Model]:
        return self.models

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
