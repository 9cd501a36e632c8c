"""Which customers a page shows."""

import dataclasses

import polars as pl

from hmgpu.evaluation.report.sampled_lists import sampled_lists


def test_each_segment_and_outcome_that_occurs_has_one_customer(evaluated):
    assert sampled_lists(evaluated).rows() == [
        (1, "active", "found at the top", 1.0),
        (2, "lapsed", "found further down", 0.25),
        (3, "new", "not proposed", 0.0),
    ]


def test_the_same_customer_is_sampled_whatever_their_order(evaluated):
    many = pl.DataFrame(
        {"customer": range(100, 200), "segment": "new", "ranker": 0.0}, schema_overrides={"customer": pl.Int32}
    )
    first = sampled_lists(dataclasses.replace(evaluated, precisions=many))
    again = sampled_lists(dataclasses.replace(evaluated, precisions=many.reverse()))
    assert first.height == 1
    assert first.equals(again)


def test_what_was_missed_was_proposed_or_not(evaluated):
    """Nobody has a hit: customers 1 and 2 had been proposed what they bought, 3 had not."""
    missed = evaluated.precisions.with_columns(ranker=0.0)
    found = sampled_lists(dataclasses.replace(evaluated, precisions=missed))
    assert dict(found.select("customer", "outcome").rows()) == {
        1: "proposed, not listed",
        2: "proposed, not listed",
        3: "not proposed",
    }
