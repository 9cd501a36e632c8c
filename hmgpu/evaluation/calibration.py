"""Compute whether a higher score means a likelier purchase: by bins of the score, and by place in the list."""

from typing import Any

import polars as pl

from hmgpu.core.plans import ONE, fixed_point

BINS = 20


def calibration_of(scored: pl.DataFrame) -> list[dict[str, float]]:
    """Return the candidates in bins of as many each, those of the highest scores first.

    Of each bin: `candidates`, `score` (the mean), `bought` (the share of them that was), `lift` (this share over that
    of all candidates) and `captured` (the share of all purchases that are in this bin or one before it). Equal scores
    may be in two bins. Empty where nothing was bought.

    Args:
        scored: (score, label 0 or 1), a row a candidate; without a score it is none.
    """
    ordered = scored.drop_nulls("score").sort("score", descending=True, maintain_order=True)
    total = int(ordered["label"].cast(pl.Int64).sum())
    if not total:
        return []
    numbered = ordered.with_row_index("row").with_columns(bin=pl.col("row").cast(pl.Int64) * BINS // ordered.height)
    # In whole steps, so that no bit depends on the order of a sum.
    score, label = pl.col("score").cast(pl.Float64), pl.col("label").cast(pl.Int64)
    bins = numbered.group_by("bin", maintain_order=True).agg(
        candidates=pl.len().cast(pl.Int64), score=fixed_point(score).sum(), hits=label.sum()
    )
    share = pl.col("hits") / pl.col("candidates")
    return bins.select(
        "candidates",
        score=pl.col("score") / ONE / pl.col("candidates"),
        bought=share,
        lift=share / (total / ordered.height),
        captured=pl.col("hits").cum_sum() / total,
    ).to_dicts()


def bought_by_place(lists: pl.DataFrame, labels: pl.DataFrame, k: int) -> list[float]:
    """Return for each of the `k` places of `lists` (customer, article, rank) the share that was bought."""
    marked = lists.join(labels.select("customer", "article", bought=1), on=["customer", "article"], how="left")
    found = marked.group_by("rank").agg(share=pl.col("bought").fill_null(0).sum() / pl.len())
    places = pl.DataFrame({"rank": range(1, k + 1)}, schema={"rank": lists.schema["rank"]})
    shares: list[Any] = places.join(found, on="rank", how="left", maintain_order="left")["share"].fill_null(0).to_list()
    return shares
