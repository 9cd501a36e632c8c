"""How many candidates each retriever gives to whom: learned from how often its proposals of earlier weeks were bought.

A retriever's first places are bought more often than its later ones, and not every retriever is worth the same to all:
somebody who was here last week may come back for the same, and best sellers are what is left for newcomers. So a
candidate is worth the share that was bought of what its retriever proposed at that rank to customers of that segment;
where several propose it, the largest. Each customer keeps the best. (The H&M write-ups gave their retrievers numbers of
candidates by positive rate, or left out retrievers and ranks below a threshold on it.)
"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from hmgpu.core.plans import packed, top_n, unpacked
from hmgpu.data.segments import SEGMENTS
from hmgpu.parts.candidates import MOST, WORTH, WORTH_ONE
from hmgpu.parts.part import Count

PRIOR = 100  # proposals at the retriever's mean rate added to every rank's, so that luck with a few decides little
COUNTS = {"segment": pl.Int8, "retriever": pl.String, "rank": pl.Int32, "shown": pl.Int64, "bought": pl.Int64}


class Quotas(BaseModel):
    """How many candidates are kept of each customer, and what that is learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    keep: Count = 150
    """Candidates a customer; the retrievers' own `n` bound what is chosen from."""
    least: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Proposals of a rank and segment of whom a smaller share is bought are dropped: some customers then keep fewer."""
    weeks: Count = 1
    """Weeks that the rates are learned from, those right before the oldest training week."""
    customers: Count | None = 20_000
    """Customers of each of these weeks, drawn at random among those who bought; null takes all."""


def counted(retrieved: Mapping[str, pl.LazyFrame], segments: pl.LazyFrame, bought: pl.LazyFrame) -> pl.LazyFrame:
    """(segment, retriever, rank, shown, bought): proposals of each retriever by rank, and how many of them were bought.

    Args:
        retrieved: for each retriever by name what its `retrieve` returned.
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
    """(segment, retriever, rank, worth int64 in steps of 2^-30): what a proposal is worth at each rank, for all ranks.

    Ranks worth less than the share `least` are left out, so that `chosen` keeps none of them.

    Rates never rise with the rank: where counts do, by luck, they are pooled (isotonic regression, Barlow et al. 1972).

    Args:
        counts: what `counted` returned of one or more weeks and shards.
        places: the number of candidates of every retriever.
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


def chosen(
    retrieved: Mapping[str, pl.LazyFrame], table: pl.LazyFrame, members: pl.LazyFrame, keep: int
) -> pl.LazyFrame:
    """(customer, article, worth): the `keep` candidates of each customer that are worth most.

    Of those worth the same the ones that a retriever ranks higher, then the smaller article.

    Args:
        retrieved: for each retriever by name what its `retrieve` returned.
        table: what `rates` returned. members: (customer, segment).
    """
    priced = [
        frame.join(members, on="customer")
        .join(table.filter(pl.col("retriever") == name), on=["segment", "rank"])
        .select(WORTH, pair=packed("customer", "article"), rank=pl.col("rank").cast(pl.Int64))
        for name, frame in retrieved.items()
    ]
    best = pl.concat(priced).group_by("pair").agg(pl.col(WORTH).max(), pl.col("rank").min())
    # One number, so that few columns are sorted: ranks are below it.
    order = pl.col(WORTH) * (MOST + 1) - pl.col("rank")
    pairs = best.select(*unpacked("pair", "customer", "article"), WORTH, order=order)
    return top_n(pairs, keep, by="customer", score="order").select("customer", "article", WORTH)
