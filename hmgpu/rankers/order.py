"""No model: all of the first strategy's candidates by rank, then the second's rest, …

The baseline that every ranker must beat: it is what a careful chain of hand-made rules achieves.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.candidates import RANK, merged_order
from hmgpu.engine import Engine
from hmgpu.errors import ConfigError
from hmgpu.rankers import Examples, Model, Ranker

FILE = "order.json"


class Order(Ranker):
    """Merged strategy order."""

    strategies: tuple[str, ...] | None = None
    """Names of the retrievers, the one that goes first first; null takes the order in which the config lists them."""

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "OrderModel":
        known = tuple(name.removesuffix(RANK) for name in strategy_ranks(training.features()))
        unknown = sorted(set(self.strategies or ()) - set(known))
        if unknown:
            raise ConfigError(f"ranker.strategies: '{unknown[0]}' proposes nothing here; there are {', '.join(known)}.")
        return OrderModel(self.strategies or known)

    def load(self, folder: Path, engine: Engine) -> "OrderModel":
        return OrderModel(tuple(json.loads((folder / FILE).read_text())))


@dataclass(frozen=True)
class OrderModel(Model):
    """The order itself."""

    strategies: tuple[str, ...]

    def score(self, examples: pl.DataFrame) -> pl.Series:
        return examples.select(score=merged_order(self.strategies).cast(pl.Float32)).to_series()

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(self.strategies))


def strategy_ranks(columns: list[str]) -> list[str]:
    """Those of `columns` that are a strategy's rank, in their order."""
    return [name for name in columns if name.endswith(RANK) and name != f"best{RANK}"]
