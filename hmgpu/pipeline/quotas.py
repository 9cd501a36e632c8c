"""Quotas: how many candidates each retriever gives to whom, learned from what was bought in earlier weeks.

A retriever's first places are bought more often than its later ones, and a retriever is not worth the same for all
customers: those who bought last week may come back for the same articles, while newcomers are left with best sellers.
So a candidate is worth the share that was bought of what its retriever proposed at that rank to customers of that
segment; where several retrievers propose it, the largest such share. Each customer keeps the candidates that are worth
most. (The H&M write-ups chose each retriever's number of candidates by positive rate, or left out retrievers and ranks
below a threshold on it.)
"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import ConfigDict, Field

from hmgpu.core.plans import packed, top_n, unpacked
from hmgpu.data.segments import SEGMENTS
from hmgpu.parts.auto import Adaptable, Measured, between
from hmgpu.parts.candidates import MOST, WORTH, WORTH_ONE
from hmgpu.parts.part import Count

PRIOR = 100  # proposals at the retriever's mean rate, added to every rank's own, so that a few lucky ones decide little
COUNTS = {"segment": pl.Int8, "retriever": pl.String, "rank": pl.Int32, "shown": pl.Int64, "bought": pl.Int64}


class Quotas(Adaptable):
    """How many candidates each customer keeps, and from which purchases that is learned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: Annotated[Count, Measured(lambda rhythm: between(150, 50 * rhythm.basket, 400))] = 150
    """Candidates per customer, chosen among the `n` that each retriever proposes."""
    least: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Least worth of a candidate, as the share bought of a retriever's proposals at that rank to that segment; less is
    dropped, so that some customers keep fewer."""
    weeks: Count = 1
    """Number of weeks that the rates are learned from, right before the oldest training week."""
    customers: Count | None = 20_000
    """Customers sampled at random among the buyers of each of these weeks; null takes all."""


def count_proposals(
    retrieved: Mapping[str, pl.LazyFrame], segments: pl.LazyFrame, bought: pl.LazyFrame
) -> pl.LazyFrame:
    """Return (segment, retriever, rank, shown, bought): how many candidates were proposed, how many sold.

    Args:
        retrieved: what each retriever's `retrieve` returned, by its name.
        segments: (customer, segment). bought: (customer, article), each once.
    """
    marked = bought.select("customer", "article", bought=pl.lit(1, dtype=pl.Int64))
    parts = [
        frame.select("customer", "article", rank=pl.col("rank").cast(pl.Int32))
        .join(marked, on=["customer", "article"], how="left")
        .join(segments, on="customer")
        .group_by("segment", "rank")
        .agg(shown=pl.len().cast(pl.Int64), bought=pl.col("bought").fill_null(0).sum())
        .select("segment", "rank", "shown", "bought", retriever=pl.lit(name))
        for name, frame in retrieved.items()
    ]
    return pl.concat(parts).select(*COUNTS)


def rates(counts: pl.DataFrame, places: Mapping[str, int], least: float = 0.0) -> pl.DataFrame:
    """Return (segment, retriever, rank, worth int64 in steps of 2^-30): what a proposal is worth at every rank.

    Ranks worth less than the share `least` are left out, so that `best_by_worth` keeps none of them.

    Rates never rise with the rank: where counts do by luck, they are pooled (isotonic regression, Barlow et al. 1972).

    Args:
        counts: what `count_proposals` returned for one or more weeks and shards.
        places: every retriever's number of candidates.
    """
    summed = counts.group_by("segment", "retriever", "rank").agg(pl.col("shown", "bought").sum())
    rows = []
    for retriever, n in places.items():
        own = summed.filter(pl.col("retriever") == retriever)
        mean = float(own["bought"].sum()) / max(1.0, float(own["shown"].sum()))
        for segment in range(len(SEGMENTS)):
            ranks = pl.DataFrame({"rank": range(1, n + 1)}, schema={"rank": pl.Int32})
            seen = ranks.join(own.filter(pl.col("segment") == segment), on="rank", how="left").fill_null(0).sort("rank")
            rows.append(_falling(seen["shown"].to_numpy(), seen["bought"].to_numpy(), mean, ranks, segment, retriever))
    known = pl.concat(rows).select("segment", "retriever", "rank", WORTH)
    return known.filter(pl.col(WORTH) >= round(least * WORTH_ONE))


def _falling(shown: Any, bought: Any, mean: float, ranks: pl.DataFrame, segment: int, retriever: str) -> pl.DataFrame:
    from scipy.optimize import isotonic_regression  # takes a second to load

    weight = shown + PRIOR
    falling = isotonic_regression((bought + PRIOR * mean) / weight, weights=weight, increasing=False).x
    steps = pl.Series(WORTH, np.round(falling * WORTH_ONE).astype(np.int64))
    key = (pl.lit(segment, dtype=pl.Int8).alias("segment"), pl.lit(retriever).alias("retriever"))
    return ranks.with_columns(steps, *key)


def best_by_worth(
    retrieved: Mapping[str, pl.LazyFrame], table: pl.LazyFrame, members: pl.LazyFrame, keep: int
) -> pl.LazyFrame:
    """Return (customer, article, worth): the `keep` candidates of each customer that are worth most.

    Ties go to the candidate that a retriever ranks higher, then to the smaller article.

    Args:
        retrieved: what each retriever's `retrieve` returned, by its name.
        table: what `rates` returned. members: (customer, segment).
    """
    priced = [
        frame.join(members, on="customer")
        .join(table.filter(pl.col("retriever") == name), on=["segment", "rank"])
        .select(WORTH, pair=packed("customer", "article"), rank=pl.col("rank").cast(pl.Int64))
        for name, frame in retrieved.items()
    ]
    best = pl.concat(priced).group_by("pair").agg(pl.col(WORTH).max(), pl.col("rank").min())
    # Worth and rank in one number, so that fewer columns are sorted; ranks are at most MOST.
    order = pl.col(WORTH) * (MOST + 1) - pl.col("rank")
    pairs = best.select(*unpacked("pair", "customer", "article"), WORTH, order=order)
    return top_n(pairs, keep, by="customer", score="order").select("customer", "article", WORTH)
