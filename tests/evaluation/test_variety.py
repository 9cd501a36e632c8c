"""How varied each method's lists are, on a history worked by hand."""

from typing import Any

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.evaluation.variety import VarietyScale, with_variety

CPU = Engine("cpu", "tests")
LISTED = {"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}


def test_all_measures_of_all_and_by_segment(make_history: Any) -> None:
    # Four customers; 1 was bought by two of them, 2 and 3 by one each; 3 is no longer on sale.
    bought = [*[(1, 1, 1)] * 7, (2, 2, 1), (3, 3, 2), (3, 3, 2), (60, 4, 3)]
    fields = {1: {"product": 1, "department": 5}, 2: {"product": 2, "department": 5}, 3: {"product": 3}}
    vectors = {"text": {1: [1.0, 0.0], 2: [0.0, 1.0], 3: [0.0, 1.0]}}
    scale = VarietyScale.of(make_history(bought, articles=fields, vectors=vectors), CPU)
    lists = pl.DataFrame([(1, 1, 1), (1, 2, 2), (2, 2, 1), (2, 3, 2)], schema=LISTED, orient="row")
    members = pl.DataFrame({"customer": [1, 2], "segment": ["active", "new"]}, schema_overrides={"customer": pl.Int32})
    figures = with_variety(
        {"segments": {"active": {"customers": 1}, "new": {"customers": 1}}}, {"ranker": lists}, members, scale
    )
    assert {name: found["ranker"] for name, found in figures["variety"].items()} == {
        "novelty": pytest.approx((1 + 2 + 2 + 2) / 4),
        "by_fields": 1,  # one field tells articles apart: all with a department are of one
        "by_text": pytest.approx(0.5, abs=1e-6),
        "popular": 0.25,  # 8 of 10 units were of article 1
        "gini": pytest.approx((-2 * 1 + 0 * 1 + 2 * 2) / (3 * 4)),
        "tail_coverage": 1,
    }
    active = figures["segments"]["active"]
    assert active["customers"] == 1
    assert active["variety"]["by_text"]["ranker"] == pytest.approx(1, abs=1e-6)
    assert figures["segments"]["new"]["variety"]["popular"] == {"ranker": 0}
