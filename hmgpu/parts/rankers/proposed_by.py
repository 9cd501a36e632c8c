"""A ranker for the candidates of some of the retrievers: what the others alone proposed isn't there for it.

So that several ways of finding candidates may each have rankers of their own, fitted on their own candidates, and be
fused by a `blend` above them, as a public solution of the H&M competition did with two.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, field_validator

from hmgpu.core.engine import Engine
from hmgpu.parts.candidates import RANK, SCORE
from hmgpu.parts.examples import Examples
from hmgpu.parts.from_yaml import part_of
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.parts.rankers.order import ranked_by
from hmgpu.parts.rankers.xgboost import XGBoost

RANKER = "ranker"


class ProposedBy(Ranker):
    """A ranker that is fitted on the candidates of some retrievers, and gives the others' candidates no score.

    It sees the scores and ranks of these retrievers alone; all other columns are there.
    """

    retrievers: Annotated[tuple[str, ...], Field(min_length=1)] = ("repurchase", "popular")
    """Names of the retrievers. Those that the data leaves out are missed, as long as one is there."""
    ranker: Ranker = XGBoost()
    """The ranker, by `kind`."""

    @field_validator(RANKER, mode="before")
    @classmethod
    def _build(cls, given: Any) -> Any:
        return part_of(Ranker, given)

    @property
    def inner(self) -> tuple[Ranker, ...]:
        return (self.ranker,)

    @property
    def keeps(self) -> int | None:
        return self.ranker.keeps

    @property
    def goes_by_any(self) -> tuple[frozenset[str], ...]:
        return (frozenset(self.retrievers), *super().goes_by_any)

    def settings(self) -> dict[str, Any]:
        return super().settings() | {RANKER: self.ranker.settings()}

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "ProposedByModel":
        with tempfile.TemporaryDirectory() as folder:
            stopping = validation.rewritten(Path(folder) / "validation", partial(_own, self.retrievers))
            fitted = self.ranker.fit(self._theirs(training, Path(folder)), stopping, engine, seed, client)
        return ProposedByModel(fitted, self.retrievers)

    def refit(
        self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "ProposedByModel":
        assert isinstance(fitted, ProposedByModel)
        with tempfile.TemporaryDirectory() as folder:
            again = self.ranker.refit(fitted.ranker, self._theirs(training, Path(folder)), engine, seed, client)
        return replace(fitted, ranker=again)

    def load(self, folder: Path, engine: Engine) -> "ProposedByModel":
        return ProposedByModel(self.ranker.load(folder / RANKER, engine), self.retrievers)

    def _theirs(self, training: Examples, folder: Path) -> Examples:
        """Write the retrievers' candidates among examples and lists into `folder`, and return them."""
        own = partial(_own, self.retrievers)
        return training.each_rewritten(folder, own).lists_rewritten(folder, own)


@dataclass(frozen=True)
class ProposedByModel(Model):
    """The fitted ranker and its retrievers."""

    ranker: Model
    retrievers: tuple[str, ...]

    @property
    def within(self) -> Mapping[str, Model]:
        return {RANKER: self.ranker}

    def promising(self, candidates: pl.DataFrame) -> pl.DataFrame:
        own = candidates.filter(_proposed(self.retrievers, candidates))
        return self.ranker.promising(own)

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the ranker's scores, null for what none of its retrievers proposed."""
        proposed = examples.select(it=_proposed(self.retrievers, examples)).to_series()
        scores = self.ranker.score(_own(self.retrievers, examples))
        nothing = pl.repeat(None, examples.height, dtype=pl.Float32, eager=True)
        return nothing.scatter(proposed.arg_true(), scores).alias("score")

    def score_promising(self, examples: pl.DataFrame) -> pl.Series:
        return self.ranker.score_promising(_own(self.retrievers, examples))

    def save(self, folder: Path) -> None:
        (folder / RANKER).mkdir()
        self.ranker.save(folder / RANKER)


def _own(retrievers: tuple[str, ...], table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that one of `retrievers` proposed, without the other retrievers' scores and ranks."""
    others = set(ranked_by(table.columns)) - set(retrievers)
    return table.filter(_proposed(retrievers, table)).drop(f"{name}{end}" for name in others for end in (SCORE, RANK))


def _proposed(retrievers: tuple[str, ...], table: pl.DataFrame) -> pl.Expr:
    there = [name for name in ranked_by(table.columns) if name in retrievers]
    return pl.any_horizontal(pl.lit(False), *(pl.col(f"{name}{RANK}").is_not_null() for name in there))
