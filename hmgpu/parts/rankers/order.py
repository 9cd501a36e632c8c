"""No model: one retriever's candidates after the other's, each by rank, or all by the sum of their scores or places.

The baseline that every ranker must beat: it is what a careful chain of hand-written rules achieves. Adding up scores
that are scaled to 0..1 for each retriever is CombSUM (Fox & Shaw 1994), by which an H&M solution merged its retrievers.
Adding up places is a Borda count; with one retriever, it is how a network filters what others propose.
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
PLACE = "_place"
"""How the names of the columns end that say where a retriever's network puts each candidate."""


class Order(Ranker):
    """The candidates in the order of the retrievers, without a model."""

    retrievers: tuple[str, ...] | None = None
    """Names of the retrievers in order, the first one's candidates first; null takes the order of the config."""
    by: Literal["chain", "minmax", "place"] = "chain"
    """chain: all candidates of the first retriever by rank, then the rest of the second's, and so on; minmax: by the
    sum of the retrievers' scores, each scaled for each customer from 0 (lowest) to 1 (highest); place: by the sum of
    the places that retrievers with a network give to every candidate, whoever proposed it."""

    @property
    def goes_by(self) -> frozenset[str]:
        return frozenset(self.retrievers or ())

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "OrderModel":
        known = ranked_by(training.features())
        if not known:
            raise ConfigError("ranker: order goes by the retrievers' ranks, and a stacker sees none; choose another.")
        check_known(self.retrievers or (), known)
        if self.by != "place":
            return OrderModel(self.retrievers or known, self.by)
        placing = tuple(name for name in known if f"{name}{PLACE}" in training.features())
        wanted = self.retrievers or placing
        if not placing or set(wanted) - set(placing):
            raise ConfigError(
                f"ranker.by: only retrievers with a network give places; here: {', '.join(placing) or 'none'}."
            )
        return OrderModel(wanted, self.by)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> Model:
        return fitted

    def load(self, folder: Path, engine: Engine) -> "OrderModel":
        return OrderModel(tuple(json.loads((folder / FILE).read_text())), self.by)


@dataclass(frozen=True)
class OrderModel(Model):
    """The order of retrievers, used as a model."""

    retrievers: tuple[str, ...]
    by: str = "chain"

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Score `examples` by the retrievers' order; for minmax they must hold all candidates of each customer."""
        orders = {"chain": merged_order, "minmax": _sum_of_scaled, "place": _sum_of_places}
        return examples.select(score=orders[self.by](self.retrievers).cast(pl.Float32)).to_series()

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(self.retrievers))


def _sum_of_scaled(retrievers: tuple[str, ...]) -> pl.Expr:
    """Add up the scores of all retrievers, each scaled to 0..1 per customer; null for what none of them proposed."""
    total, proposed = pl.lit(0.0), pl.lit(False)
    for name in retrievers:
        score = pl.col(f"{name}{SCORE}").cast(pl.Float64)
        low, high = score.min().over("customer"), score.max().over("customer")
        scaled = pl.when(high > low).then((score - low) / (high - low)).otherwise(1.0)
        scored = score.is_not_null()
        total += pl.when(scored).then(scaled).otherwise(0.0)
        proposed |= scored
    return pl.when(proposed).then(total)


def _sum_of_places(retrievers: tuple[str, ...]) -> pl.Expr:
    """Add up the places by all retrievers, the best being the highest; exact in float32."""
    return -pl.sum_horizontal(pl.col(f"{name}{PLACE}").cast(pl.Int64) for name in retrievers)


def ranked_by(columns: list[str]) -> tuple[str, ...]:
    """Return the retrievers whose scores and ranks are among `columns`, in their order; features have only ranks."""
    names = [name.removesuffix(RANK) for name in columns if name.endswith(RANK)]
    return tuple(name for name in names if f"{name}{SCORE}" in columns)


def check_known(retrievers: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raise ConfigError, naming the first, if any of `retrievers` is not `known`."""
    unknown = sorted(set(retrievers) - set(known))
    if unknown:
        raise ConfigError(f"ranker.retrievers: '{unknown[0]}' proposes nothing here; choose from {', '.join(known)}.")
