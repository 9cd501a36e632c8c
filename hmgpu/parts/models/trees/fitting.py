"""What decides which trees are fitted, and what they start from.

It doesn't load XGBoost, as `boosting` does: that takes longer than loading all else, and most commands fit no trees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.candidates import MOST, RANK, WORTH, WORTH_ONE

METRIC = "ndcg@50"
"""Measured on the validation week to decide when to stop. Not MAP@12 itself: over a few hundred customers it jumps so
much from tree to tree that fitting stopped at a lucky early peak (docs/results/demo.md)."""
RANKS = 1 << 18  # ranks that the worth of a candidate falls by a factor of e in
CURVE = "curve"
"""Attribute of fitted trees: the metric on the watched lists after every tree, as a JSON list."""


@dataclass(frozen=True)
class Fitting:
    """Everything but the examples that decides which trees are fitted; small, because it is sent to other processes."""

    parameters: Mapping[str, Any]
    """Parameters of XGBoost."""
    rounds: int
    patience: int | None
    """None: no lists are watched, and all trees are kept."""
    bins: int
    by_query: bool
    """Whether examples are fitted as lists of a customer; otherwise each by itself."""
    features: Sequence[str]
    engine: Engine
    from_worth: bool = False
    """Whether the trees start from the margins of `start_of`."""


def numbers(table: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """Return the columns `features`, with those in which every value is missing as float32."""
    return table.select(features).cast({pl.Null: pl.Float32})


def start_of(examples: pl.DataFrame) -> Any:
    """Return the float32 margins that trees start from: the natural logarithm of each candidate's worth (0..1).

    Candidates of one worth are in the order of their best rank, each of which takes 2^-18 off: that much a float32
    holds. A candidate that no retriever proposed has the least worth, 2^-30, and comes after the last rank. Raises
    ConfigError if the examples have no worth.
    """
    if WORTH not in examples.columns:
        raise ConfigError("ranker.from_worth: candidates have a worth only if quotas choose them; add `quotas`.")
    worth = examples[WORTH].fill_null(1).clip(lower_bound=1)
    rank = examples[f"best{RANK}"].fill_null(MOST + 1)
    return ((worth / WORTH_ONE).log() - rank / RANKS).cast(pl.Float32).to_numpy()
