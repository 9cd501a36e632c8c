"""The base classes of rankers, which put a customer's candidates in order, and of the models that they fit."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.part import Part

SCORED = "score"
"""The stage of `Model.contributions` of a model that scores in one."""
START, AVERAGE = "start", "average"
"""Columns of `Model.contributions` that belong to no column of the examples."""


class Model(Protocol):
    """A fitted ranker."""

    def promising(self, candidates: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of `candidates` (with their early columns) that may get a score; the others never do.

        A column may be added: those rows have it when `score_promising` gets them.
        """
        return candidates

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Score each row of `examples`, float32; higher is better.

        A null means no score: such a candidate is not recommended.

        Args:
            examples: any table with the columns that the model was fitted on.
        """

    def score_promising(self, examples: pl.DataFrame) -> pl.Series:
        """Score `examples` that `promising` has already chosen."""
        return self.score(examples)

    def contributions(self, examples: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Compute what each column adds to the score of each row of `examples`, for every stage that scores, in order.

        A stage is (a float32 column for each that it was fitted on, `START`: what every row starts from, `AVERAGE`: the
        mean over all examples it was fitted on), in the order of rows. A row's numbers add up to the stage's score.
        Empty where a score isn't such a sum, as a network's, or one by ranks.
        """
        return {}

    def save(self, folder: Path) -> None:
        """Write the model's files into the existing `folder`; the same model gives the same bytes."""

    @property
    def within(self) -> Mapping[str, "Model"]:
        """The models within this one that score the same columns, by name."""
        return {}


def all_within(model: Model, name: str) -> dict[str, Model]:
    """Return `model` and all models within it, at any depth: `ranker`, `ranker_then`, `ranker_then_xgboost_1`."""
    found = {name: model}
    for each, inner in model.within.items():
        found |= all_within(inner, f"{name}_{each}")
    return found


class Ranker(Part):
    """A ranker's settings, from which a model is fitted or loaded."""

    home = "hmgpu.parts.rankers"

    @property
    def inner(self) -> tuple["Ranker", ...]:
        """The rankers within this one, to which it passes examples on."""
        return ()

    @property
    def looks_early_at(self) -> frozenset[str]:
        """Names of the feature families that `Model.promising` needs besides those that compare candidates."""
        return frozenset[str]().union(*(ranker.looks_early_at for ranker in self.inner))

    @property
    def keeps(self) -> int | None:
        """The most candidates of a customer that get a score; None: all."""
        return None

    @property
    def processes(self) -> int:
        """The number of processes that fit it together."""
        return max((ranker.processes for ranker in self.inner), default=1)

    @property
    def needs_lists(self) -> int:
        """Of how many of the last training weeks it needs all candidates, as in serving, rather than a sample."""
        return max((ranker.needs_lists for ranker in self.inner), default=0)

    @property
    def most_lists(self) -> int | None:
        """The most customers of each of these weeks whose candidates it needs, sampled at random; None: all."""
        asked = [ranker.most_lists for ranker in self.inner if ranker.needs_lists]
        return None if None in asked else max((most for most in asked if most is not None), default=None)

    @property
    def goes_by(self) -> frozenset[str]:
        """The retrievers that it names, and without which it can't be fitted."""
        return frozenset[str]().union(*(ranker.goes_by for ranker in self.inner))

    @property
    def goes_by_any(self) -> tuple[frozenset[str], ...]:
        """Groups of retrievers that it names; it can be fitted while one of each group is there."""
        return tuple(group for ranker in self.inner for group in ranker.goes_by_any)

    @property
    def needs_worth(self) -> bool:
        """Whether it needs the candidates' worth, which they have only where quotas choose them."""
        return any(ranker.needs_worth for ranker in self.inner)

    @property
    def needs_families(self) -> frozenset[str]:
        """The kinds of the feature families whose columns it looks up, and without which it can't be fitted."""
        return frozenset[str]().union(*(ranker.needs_families for ranker in self.inner))

    @property
    def never_refitted(self) -> frozenset[str]:
        """The kinds, of this ranker and of those within, that can't be fitted again without a validation week."""
        own = {self.kind} if type(self).refit is Ranker.refit else set[str]()
        return frozenset(own).union(*(ranker.never_refitted for ranker in self.inner))

    def needs_packages(self) -> frozenset[str]:
        return frozenset[str]().union(*(ranker.needs_packages() for ranker in self.inner))

    @abstractmethod
    def fit(self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None) -> Model:
        """Fit a model on `training`; `validation` only decides when to stop.

        Args:
            training: the labelled candidates of the training weeks.
            validation: the labelled candidates of the validation week.
            engine: where to compute, on the CPU or the GPU.
            seed: of everything that is random.
            client: of the Dask cluster whose workers fit the model if `processes` is more than 1.
        """

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> Model:
        """Fit a model again, on weeks that may hold the one that decided when to stop; as large as `fitted` is.

        Args:
            fitted: what `fit` returned.
            training: the labelled candidates of the training weeks, as in `fit`, and of later ones.
            engine, seed, client: as in `fit`.

        Raises ConfigError for a kind that can't be fitted without a validation week.
        """
        raise ConfigError(
            f"The ranker {self.kind} stops by the validation week and can't be fitted without one; set weeks.refit: "
            "false."
        )

    @abstractmethod
    def load(self, folder: Path, engine: Engine) -> Model:
        """Load the model that `save` wrote into `folder`."""
