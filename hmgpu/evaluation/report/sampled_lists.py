"""Sample the customers that a run's page shows: one for every segment and outcome, at random by a fixed rule."""

import polars as pl

from hmgpu.core.plans import scattered
from hmgpu.data.segments import SEGMENTS
from hmgpu.evaluation.report.evaluated import Evaluated

OUTCOMES = {
    "found at the top": "an average precision of at least one half",
    "found further down": "at least one hit",
    "proposed, not listed": "no hit, though the customer bought a candidate",
    "not proposed": "nothing that the customer bought was a candidate",
}
SEED = 1


def sampled_lists(week: Evaluated) -> pl.DataFrame:
    """Return (customer, segment, outcome, average_precision), one row for each segment and outcome that occurs.

    Rows are in the order of segments and outcomes. The choice depends on the customers' keys alone, so that runs on the
    same data show the same customers where their outcomes are the same.
    """
    known = week.precisions.select("customer", "segment", average_precision="ranker")
    proposed = known["customer"].is_in(week.examples.customers_with_purchases()["customer"].implode())
    precision = pl.col("average_precision")
    missed = pl.when(proposed).then(pl.lit("proposed, not listed")).otherwise(pl.lit("not proposed"))
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
    shuffled = all_of_them.sort("segment", "outcome", scattered(["customer"], SEED), "customer")
    return shuffled.unique(["segment", "outcome"], keep="first", maintain_order=True)
