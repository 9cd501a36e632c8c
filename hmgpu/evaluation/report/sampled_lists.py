"""Which customers a run's page shows: one for every segment and outcome, drawn at random by a fixed rule."""

import polars as pl

from hmgpu.core.plans import scattered
from hmgpu.data.segments import SEGMENTS
from hmgpu.evaluation.report.evaluated import Evaluated

OUTCOMES = {
    "found at the top": "an average precision of one half and more",
    "found further down": "at least one hit",
    "proposed, not listed": "no hit, though a candidate was bought",
    "not proposed": "nothing of what was bought was a candidate",
}
SEED = 1


def sampled_lists(week: Evaluated) -> pl.DataFrame:
    """(customer, segment, outcome, average_precision), a row for each segment and outcome that occurs, in their order.

    Which one it is depends on the customers' keys alone, so that runs on the same data show the same people where
    their outcomes are the same.
    """
    known = week.precisions.select("customer", "segment", average_precision="ranker")
    told = known["customer"].is_in(week.examples.customers_with_purchases()["customer"].implode())
    precision = pl.col("average_precision")
    missed = pl.when(told).then(pl.lit("proposed, not listed")).otherwise(pl.lit("not proposed"))
    further = pl.when(precision > 0).then(pl.lit("found further down")).otherwise(missed)
    all_of_them = known.select(
        "customer",
        segment=pl.col("segment").cast(pl.Enum(SEGMENTS)),
        outcome=pl.when(precision >= 0.5)
        .then(pl.lit("found at the top"))
        .otherwise(further)
        .cast(pl.Enum(list(OUTCOMES))),
        average_precision=precision,
    )
    in_turn = all_of_them.sort("segment", "outcome", scattered(["customer"], SEED), "customer")
    return in_turn.unique(["segment", "outcome"], keep="first", maintain_order=True)
