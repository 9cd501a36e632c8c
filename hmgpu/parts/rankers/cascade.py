"""Two rankers in a row: a quick one chooses among all candidates, a careful one orders those that are left.

Cascade ranking (Wang, Lin & Metzler 2011, "A cascade ranking model for efficient ranked retrieval"), the pre-ranking of
industrial recommenders. Only a dozen of some 150 candidates are wanted, and computing features for all of them is most
of what recommending to a million customers costs; the quick ranker needs only the columns that come with retrieval.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, field_validator

from hmgpu.core.engine import Engine
from hmgpu.parts.auto import Measured, Rhythm, between
from hmgpu.parts.examples import Examples
from hmgpu.parts.from_yaml import part_of
from hmgpu.parts.ranker import SCORED, Model, Ranker
from hmgpu.parts.rankers.xgboost import XGBoost

FIRST, THEN, KEEPS, KEEP = "first", "then", "keep", "keep.json"


def _keep(rhythm: Rhythm) -> int:
    """Twice a list, or three baskets."""
    return between(2 * rhythm.k, 3 * rhythm.basket, max(100, 2 * rhythm.k))


class Cascade(Ranker):
    """A quick ranker that keeps some candidates of each customer, then a careful one that orders them."""

    first: Ranker = XGBoost(rounds=20, learning_rate=0.3, depth=6, patience=20)
    """The quick ranker. It sees every retriever's scores and ranks, the feature families that compare a customer's
    candidates with each other, and the families named in `early`."""
    early: tuple[str, ...] = ()
    """Names of more feature families for the quick ranker. They are computed for all candidates, which takes longer."""
    keep: Annotated[int, Field(ge=12), Measured(_keep)] = 30
    """Candidates of each customer that the quick ranker keeps for the careful one. More of them lose less of what will
    be bought, and cost time."""
    then: Ranker = XGBoost()
    """The careful ranker. It is fitted on all training examples, including those that the quick one would leave out;
    the lists that decide when to stop, and those that a stack learns from, are what the quick one keeps."""

    @field_validator(FIRST, THEN, mode="before")
    @classmethod
    def _build(cls, given: Any) -> Any:
        return part_of(Ranker, given)

    @property
    def inner(self) -> tuple[Ranker, ...]:
        return (self.first, self.then)

    @property
    def keeps(self) -> int | None:
        own = [] if KEEPS in self.auto else [self.keep]
        return min([*own, *(ranker.keeps for ranker in self.inner if ranker.keeps is not None)], default=None)

    @property
    def looks_early_at(self) -> frozenset[str]:
        return super().looks_early_at | frozenset(self.early)

    def settings(self) -> dict[str, Any]:
        return super().settings() | {FIRST: self.first.settings(), THEN: self.then.settings()}

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "CascadeModel":
        early, early_validation = (replace(examples, only_early=True) for examples in (training, validation))
        first = self.first.fit(early, early_validation, engine, seed, client)
        promising = partial(_promising, first, self.keep)
        with tempfile.TemporaryDirectory() as folder:
            kept, stopping = training.lists_rewritten(Path(folder), promising), Path(folder) / "validation"
            then = self.then.fit(kept, validation.rewritten(stopping, promising), engine, seed, client)
        return CascadeModel(first, self.keep, then)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> "CascadeModel":
        assert isinstance(fitted, CascadeModel)
        first = self.first.refit(fitted.first, replace(training, only_early=True), engine, seed, client)
        with tempfile.TemporaryDirectory() as folder:
            kept = training.lists_rewritten(Path(folder), partial(_promising, first, self.keep))
            return CascadeModel(first, self.keep, self.then.refit(fitted.then, kept, engine, seed, client))

    def load(self, folder: Path, engine: Engine) -> "CascadeModel":
        keep = json.loads((folder / KEEP).read_text())
        return CascadeModel(self.first.load(folder / FIRST, engine), keep, self.then.load(folder / THEN, engine))


@dataclass(frozen=True)
class CascadeModel(Model):
    """Both fitted rankers."""

    first: Model
    keep: int
    then: Model

    @property
    def within(self) -> Mapping[str, Model]:
        return {FIRST: self.first, THEN: self.then}

    def promising(self, candidates: pl.DataFrame) -> pl.DataFrame:
        return _promising(self.first, self.keep, candidates)

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the careful ranker's scores, null for candidates that the quick one leaves out."""
        kept = _kept(self.first, self.keep, examples)
        final = self.then.score(examples.filter(kept))
        nothing = pl.repeat(None, examples.height, dtype=pl.Float32, eager=True)
        return nothing.scatter(kept.arg_true(), final).alias("score")

    def score_promising(self, examples: pl.DataFrame) -> pl.Series:
        return self.then.score(examples)

    def contributions(self, examples: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Return the stages of both rankers, the quick one's first; the last stage's sums decide the order."""
        then = self.then.contributions(examples)
        if not then:
            return {}
        both = {FIRST: self.first.contributions(examples), THEN: then}
        return {
            name if stage == SCORED else f"{name}_{stage}": table
            for name, stages in both.items()
            for stage, table in stages.items()
        }

    def save(self, folder: Path) -> None:
        (folder / KEEP).write_text(json.dumps(self.keep))
        for name, model in ((FIRST, self.first), (THEN, self.then)):
            (folder / name).mkdir()
            model.save(folder / name)


def _promising(first: Model, keep: int, candidates: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `candidates` that the quick ranker keeps: the same call for fitting and serving."""
    return candidates.filter(_kept(first, keep, candidates))


def _kept(first: Model, keep: int, candidates: pl.DataFrame) -> pl.Series:
    """Return for each row whether the quick ranker keeps it."""
    scored = candidates.select("customer", score=first.score(candidates))
    # Rows come sorted, and equal scores are ranked in the order of rows, so ties break on the article.
    rank = pl.col("score").rank("ordinal", descending=True).over("customer")
    return scored.select(kept=(rank <= keep).fill_null(False)).to_series()
