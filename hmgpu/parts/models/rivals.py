"""Orders of candidates that need no model, what a ranker is worth next to them, and their fusion with it."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from hmgpu.core.certainty import intervals
from hmgpu.core.list_length import K
from hmgpu.core.metrics import average_precision
from hmgpu.parts.candidates import KEYS, MOST, RANK, WORTH, merged_order
from hmgpu.parts.examples import LABEL

RANKER, ORDER = "ranker", "order"
PARTS = 5  # weights are tried in steps of a fifth: finer ones fit the luck of one week

Orders = Mapping[str, tuple[str, ...]]
"""Rivals by name: the retrievers that each puts one after another; none for `worth`."""


@dataclass(frozen=True)
class Verdict:
    """What a ranker is worth next to its rivals on lists that it was not fitted on, and the weights that follow."""

    customers: int
    """Whose lists were judged: those who bought a candidate."""
    map_at_12: Mapping[str, float]
    """The mean average precision at 12 of the ranker's and each rival's lists; of the candidates that were bought, so
    larger than in an evaluation. Empty where there were too few customers."""
    ahead: Mapping[str, tuple[float, float, float]]
    """How far the ranker is ahead of each rival, and the 95 % interval of that, customers paired."""
    weights: Mapping[str, float]
    """Of the ranker and the rivals that it did not beat beyond chance; they add up to 1, and none is 0."""

    def said(self) -> str:
        """Return it as one line."""
        weights = "weights: " + ", ".join(f"{name} {weight:g}" for name, weight in self.weights.items())
        if not self.map_at_12:
            return f"too little to try the ranker on ({self.customers} customers who bought a candidate); {weights}"
        rivals = "; ".join(
            f"{name} {self.map_at_12[name]:.5f} ({difference:+.5f}, {low:+.5f} to {high:+.5f})"
            for name, (difference, low, high) in self.ahead.items()
        )
        return (
            f"MAP@{K} of {self.customers:,} customers in the last training week: ranker {self.map_at_12[RANKER]:.5f}; "
            f"{rivals}; {weights}"
        )


def unproven(customers: int) -> Verdict:
    """Return the verdict where there are too few `customers` to conclude anything: `order` needs no proof."""
    return Verdict(customers, {}, {}, {ORDER: 1.0})


def places_of(scores: pl.Series | None, orders: Orders, keep: int, candidates: pl.DataFrame) -> pl.DataFrame:
    """Return (customer, article, int32 places from 1: `ranker`, then each of `orders`); null for what has none.

    A rival's places are those up to `keep`, so that they are the same among fewer candidates that hold all of these.

    Args:
        scores: the ranker's, one for each of `candidates`; None leaves the ranker out.
        candidates: all of each customer, sorted by customer and article.
    """
    rivals = {name: _best_first(name, retrievers) for name, retrievers in orders.items()}
    table = candidates.select(*KEYS, **rivals).with_columns([] if scores is None else [scores.alias(RANKER)])
    # Equal scores are ranked in the order of rows, so ties break on the article.
    place = {
        name: pl.col(name).rank("ordinal", descending=True).over("customer").cast(pl.Int32)
        for name in table.columns[len(KEYS) :]
    }
    placed = table.with_columns(**place)
    return placed.with_columns(pl.when(pl.col(name) <= keep).then(name).alias(name) for name in orders)


def fused(places: pl.DataFrame, weights: Mapping[str, float], smooth: float) -> pl.Series:
    """Return float32 scores, the sum of weight / (smooth + place); null for what has no place.

    Args:
        places: what `places_of` returned.
        weights: by the name of the ranker or rival, each above 0.
    """
    voices = [weight / (smooth + pl.col(name)) for name, weight in weights.items()]
    placed = pl.any_horizontal(pl.col(name).is_not_null() for name in weights)
    return places.select(score=pl.when(placed).then(pl.sum_horizontal(voices)).cast(pl.Float32)).to_series()


def judge(places: pl.DataFrame, smooth: float) -> Verdict:
    """Set the ranker against its rivals, and find the weights of those that it doesn't beat beyond chance.

    Args:
        places: what `places_of` returned of customers who bought a candidate, with a column `label`.
    """
    bought = places.filter(pl.col(LABEL) > 0).select(KEYS)
    names = [name for name in places.columns if name not in (*KEYS, LABEL)]
    precisions = {name: _precisions(places.select(*KEYS, rank=name), bought) for name in names}
    values = {name: float(each["average_precision"].mean()) for name, each in precisions.items()}  # type: ignore[arg-type]
    ours, rivals = precisions[RANKER], [name for name in names if name != RANKER]
    differences = ours.select(
        "customer",
        **{name: pl.col("average_precision") - precisions[name]["average_precision"] for name in rivals},
    )
    found = intervals(differences)
    ahead = {name: (values[RANKER] - values[name], *found[name]) for name in rivals}
    unbeaten = [name for name in rivals if ahead[name][1] <= 0]
    best, chosen = -1.0, {RANKER: 1.0}
    for weights in _shares([RANKER, *unbeaten]):
        table = places.select(*KEYS, score=fused(places, weights, smooth)) if len(weights) > 1 else None
        value = values[next(iter(weights))] if table is None else _map(table, bought)
        if value > best:  # a tie goes to the first, which gives the ranker more
            best, chosen = value, weights
    return Verdict(ours.height, values, ahead, chosen)


def _best_first(name: str, retrievers: tuple[str, ...]) -> pl.Expr:
    """Return whole numbers, the higher the better, by which a rival orders candidates; null for what it leaves out."""
    if name == WORTH:  # candidates of one worth by their best rank, as quotas choose them
        return pl.col(WORTH) * (MOST + 1) - pl.col(f"best{RANK}")
    return merged_order(retrievers)


def _shares(names: list[str]) -> Iterator[dict[str, float]]:
    """Yield all weights in whole `PARTS` that add up to 1, those first that give more to the first name."""
    for parts in itertools.product(range(PARTS, -1, -1), repeat=len(names)):
        if sum(parts) == PARTS:
            yield {name: part / PARTS for name, part in zip(names, parts, strict=True) if part}


def _map(scored: pl.DataFrame, bought: pl.DataFrame) -> float:
    rank = pl.col("score").rank("ordinal", descending=True).over("customer")
    return float(_precisions(scored.select(*KEYS, rank=rank), bought)["average_precision"].mean())  # type: ignore[arg-type]


def _precisions(ranked: pl.DataFrame, bought: pl.DataFrame) -> pl.DataFrame:
    """Return (customer, average_precision) at 12, sorted by customer."""
    return average_precision(ranked.filter(pl.col("rank") <= K), bought)
