"""No model: all of the first retriever's candidates by rank, then the second's rest, …; or by the sum of their scores.

The baseline that every ranker must beat: it is what a careful chain of hand-made rules achieves. Adding up scores that
each retriever has between 0 and 1 is CombSUM (Fox & Shaw 1994), which an H&M recall stage merged its retrievers by.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.candidates import RANK, SCORE, merged_order
from hmgpu.parts.examples import Examples
from hmgpu.parts.ranker import Model, Ranker

FILE = "order.json"


class Order(Ranker):
    """Merged retriever order."""

    retrievers: tuple[str, ...] | None = None
    """Names of the retrievers, the one that goes first first; null takes the order in which the config lists them."""
    by: Literal["chain", "minmax"] = "chain"
    """chain: one retriever after the other; minmax: by the sum of their scores, each stretched over the customer's
    candidates from 0 for its lowest to 1 for its highest."""

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "OrderModel":
        known = tuple(name.removesuffix(RANK) for name in retriever_ranks(training.features()))
        unknown = sorted(set(self.retrievers or ()) - set(known))
        if unknown:
            raise ConfigError(f"ranker.retrievers: '{unknown[0]}' proposes nothing here; there are {', '.join(known)}.")
        return OrderModel(self.retrievers or known, self.by)

    def load(self, folder: Path, engine: Engine) -> "OrderModel":
        return OrderModel(tuple(json.loads((folder / FILE).read_text())), self.by)


@dataclass(frozen=True)
class OrderModel(Model):
    """The order itself."""

    retrievers: tuple[str, ...]
    by: str = "chain"

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """As `Model.score`; by minmax `examples` must hold customers whole."""
        order = merged_order(self.retrievers) if self.by == "chain" else _stretched_sum(self.retrievers)
        return examples.select(score=order.cast(pl.Float32)).to_series()

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(self.retrievers))


def _stretched_sum(retrievers: tuple[str, ...]) -> pl.Expr:
    """The sum over retrievers, in their order, of their stretched scores; null for what none of them proposed."""
    total, proposed = pl.lit(0.0), pl.lit(False)
    for name in retrievers:
        score = pl.col(f"{name}{SCORE}").cast(pl.Float64)
        low, high = score.min().over("customer"), score.max().over("customer")
        stretched = pl.when(high > low).then((score - low) / (high - low)).otherwise(1.0)
        there = score.is_not_null()
        total += pl.when(there).then(stretched).otherwise(0.0)
        proposed |= there
    return pl.when(proposed).then(total)


def retriever_ranks(columns: list[str]) -> list[str]:
    """Those of `columns` that are a retriever's rank, in their order."""
    return [name for name in columns if name.endswith(RANK) and name != f"best{RANK}"]
