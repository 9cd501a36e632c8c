"""Customers who bought recently, long ago or never."""

import polars as pl

from hmgpu.data.segments import ACTIVE_DAYS, SEGMENTS, segments


def test_the_latest_purchase_decides_and_an_unknown_customer_is_new(make_history, engine):
    history = make_history(
        [(ACTIVE_DAYS, 1, 7), (ACTIVE_DAYS + 1, 2, 7), (400, 3, 7), (1, 3, 8), (1, 9, 7)], customers={4: {"age": 30}}
    )
    asked = pl.LazyFrame({"customer": [1, 2, 3, 4, 5]}, schema={"customer": pl.Int32})
    found = engine.collect(segments(history, asked).sort("customer"))
    assert found.schema == {"customer": pl.Int32, "segment": pl.Int8}
    # 4 is in the customer table and bought nothing, 5 is in no table, 9 was not asked for.
    named = [(customer, SEGMENTS[position]) for customer, position in found.rows()]
    assert named == [(1, "active"), (2, "lapsed"), (3, "active"), (4, "new"), (5, "new")]
