"""The base class of rankers, which put a customer's candidates in order, and of the models that they fit."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import Examples
from hmgpu.parts.part import Part


class Model(Protocol):
    """A fitted ranker."""

    def promising(self, candidates: pl.DataFrame) -> pl.DataFrame:
        """Those of `candidates`, with their early columns, that are worth describing: the others it gives no score."""
        return candidates

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """float32, one a row of `examples` (any table with the columns it was fitted on); higher is better.

        A null is no score: such a candidate is not recommended.
        """

    def score_promising(self, examples: pl.DataFrame) -> pl.Series:
        """What `score` says of `examples` that `promising` has chosen already."""
        return self.score(examples)

    def save(self, folder: Path) -> None:
        """Writes the model's files into the existing `folder`; the same model gives the same bytes."""


class Ranker(Part):
    """Settings of a ranker."""

    home = "hmgpu.parts.rankers"

    @property
    def inner(self) -> tuple["Ranker", ...]:
        """The rankers within this one, which it passes examples on to."""
        return ()

    @property
    def looks_early_at(self) -> frozenset[str]:
        """Names of the feature families that `Model.promising` needs, in addition to those that compare candidates."""
        return frozenset[str]().union(*(ranker.looks_early_at for ranker in self.inner))

    @property
    def keeps(self) -> int | None:
        """How many candidates of a customer get a score at most; None: all."""
        return min((ranker.keeps for ranker in self.inner if ranker.keeps is not None), default=None)

    @property
    def processes(self) -> int:
        """How many processes fit it together."""
        return max((ranker.processes for ranker in self.inner), default=1)

    @property
    def needs_lists(self) -> bool:
        """Whether it learns from the last training week's candidates as they are served, with no negatives left out."""
        return any(ranker.needs_lists for ranker in self.inner)

    def needs_packages(self) -> frozenset[str]:
        return frozenset[str]().union(*(ranker.needs_packages() for ranker in self.inner))

    @abstractmethod
    def fit(self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None) -> Model:
        """A model fitted on `training`; `validation` only decides when to stop.

        Args:
            client: of the Dask cluster whose workers fit it, where there are to be several `processes`.
        """

    @abstractmethod
    def load(self, folder: Path, engine: Engine) -> Model:
        """The model that `save` wrote into `folder`."""
