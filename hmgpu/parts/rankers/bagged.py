"""Several rankers of one kind, each on all that was bought and other negatives, and a small network above them.

Where a candidate in a hundred is bought, a ranker that is shown them all mostly sees what nobody wanted. One that is
shown ten negatives for each purchase learns from fewer, and which ten is chance; so a public solution of the H&M
competition fitted ten of them, each on another draw, under a dense layer (bagging: Breiman 1996, "Bagging predictors").
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import field_validator

from hmgpu.core.plans import scattered
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.from_yaml import part_of
from hmgpu.parts.models.stacking import STACKER, Stacking
from hmgpu.parts.part import Count
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.dnn import DNN
from hmgpu.parts.rankers.xgboost import XGBoost

EACH = "ranker"


class Bagged(Stacking):
    """Several rankers of one kind on different negatives, and a stacker that ranks by their scores and places."""

    ranker: Ranker = XGBoost()
    """The ranker that is fitted several times, by `kind`."""
    bags: Count = 5
    """How many of them are fitted. More of them are steadier, and take as many times as long."""
    negatives: Count = 10
    """Candidates that a customer did not buy, for each that they bought, which each ranker is shown, sampled at random
    among all that the section `negatives` gives: where these are no more, all rankers are shown the same."""
    stacker: Ranker = DNN(hidden=(16,), dropout=0.0, epochs=10)
    """The ranker that gives the final order; it sees only the other rankers' scores and places."""

    @field_validator(EACH, mode="before")
    @classmethod
    def _build(cls, given: Any) -> Any:
        return part_of(Ranker, given)

    @property
    def stacked(self) -> Mapping[str, Ranker]:
        return {f"bag{number}": self.ranker for number in range(1, self.bags + 1)}

    @property
    def inner(self) -> tuple[Ranker, ...]:
        return (self.ranker, self.stacker)

    def settings(self) -> dict[str, Any]:
        return super().settings() | {EACH: self.ranker.settings(), STACKER: self.stacker.settings()}

    def drawn(self, name: str, examples: Examples, seed: int, folder: Path) -> Examples:
        # The seed and the bag's number decide the draw, whatever files and tables the examples come in.
        own = seed * 1_000_003 + int(name.removeprefix("bag"))
        return examples.each_rewritten(folder, partial(_draw, self.negatives, own))


def _draw(negatives: int, seed: int, table: pl.DataFrame) -> pl.DataFrame:
    """Return all that was bought in `table`, and `negatives` times as many other candidates of the same customers."""
    bought = pl.col(LABEL) > 0
    # A customer's negatives by chance; what was bought has no place among them.
    chance = pl.when(~bought).then(scattered(KEYS, seed))
    place = chance.rank("ordinal").over("customer")
    return table.filter(bought | (place <= negatives * bought.sum().over("customer")))
