"""Compute how varied each method's lists are, for all buyers and by segment: what a point of MAP costs, or earns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import coverage
from hmgpu.core.variety import (
    fields_of,
    gini,
    head_of,
    intra_list_variety,
    novelty,
    popular_share,
    vector_variety,
)
from hmgpu.data.choices import VectorsOf
from hmgpu.data.segments import ACTIVE_DAYS
from hmgpu.data.store import History

FIELDS = ("product", "product_type", "department", "colour_master", "appearance", "garment_group")
"""The catalogue fields that two articles are compared by."""


@dataclass(frozen=True)
class VarietyScale:
    """What was known before a week of its articles, by which lists are measured."""

    buyers: pl.DataFrame
    """(article, buyers): how many different customers ever bought it."""
    customers: int
    """How many ever bought anything."""
    sold: pl.DataFrame
    """(article, units) of what was on sale: sold in the last four weeks."""
    head: pl.DataFrame
    """(article), the best sellers that make up 80 % of these units."""
    fields: pl.DataFrame
    """(article, the catalogue fields that the data has)."""
    vectors: Mapping[VectorsOf, pl.DataFrame]
    """(article, `v…`), by what they are of."""

    @classmethod
    def of(cls, history: History, engine: Engine) -> "VarietyScale":
        """Measure what was known before the week that `history` ends at."""
        ever = history.transactions.group_by("article").agg(buyers=pl.col("customer").n_unique().cast(pl.Int64))
        sold = history.last(ACTIVE_DAYS).group_by("article").agg(units=pl.len().cast(pl.Int64))
        customers = history.transactions.select(pl.col("customer").n_unique().cast(pl.Int64))
        on_sale = engine.collect(sold)
        known = [name for name in FIELDS if history.has(name)]
        catalogue = engine.collect(history.articles.select("article", *known))
        return cls(
            engine.collect(ever),
            int(engine.collect(customers).item()),
            on_sale,
            head_of(on_sale),
            fields_of(catalogue, FIELDS),
            {of: engine.collect(plan) for of, plan in history.vectors.items()},
        )

    def figures(self, lists: pl.DataFrame) -> dict[str, float]:
        """Return the measures of `lists` (customer, article, rank) by name; see docs/evaluation.md."""
        tail = self.sold.join(self.head, on="article", how="anti")
        found = {"novelty": novelty(lists, self.buyers, self.customers)}
        if len(self.fields.columns) > 1:
            found["by_fields"] = intra_list_variety(lists, self.fields)
        found |= {f"by_{of}": vector_variety(lists, vectors) for of, vectors in self.vectors.items()}
        return found | {
            "popular": popular_share(lists, self.head),
            "gini": gini(lists, self.sold),
            "tail_coverage": coverage(lists, tail),
        }


def with_variety(
    figures: dict[str, Any], lists: Mapping[str, pl.DataFrame], members: pl.DataFrame, scale: VarietyScale
) -> dict[str, Any]:
    """Add `variety` (measure, method) to `figures` and to each of its segments.

    Args:
        figures: what `figures_of` returned.
        lists: by method, (customer, article, rank).
        members: (customer, segment).
    """
    segments = {
        name: segment | {"variety": _by_measure(lists, scale, members.filter(pl.col("segment") == name))}
        for name, segment in figures["segments"].items()
    }
    return figures | {"variety": _by_measure(lists, scale), "segments": segments}


def _by_measure(
    lists: Mapping[str, pl.DataFrame], scale: VarietyScale, customers: pl.DataFrame | None = None
) -> dict[str, dict[str, float]]:
    chosen = lists.items()
    if customers is not None:
        chosen = {name: table.join(customers, on="customer", how="semi") for name, table in lists.items()}.items()
    by_method = {name: scale.figures(table) for name, table in chosen}
    measures = next(iter(by_method.values()), {})
    return {measure: {name: found[measure] for name, found in by_method.items()} for measure in measures}
