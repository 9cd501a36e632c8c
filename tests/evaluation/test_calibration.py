"""Whether a higher score means a likelier purchase, worked by hand."""

import polars as pl
import pytest

from hmgpu.evaluation.calibration import bought_by_place, calibration_of


def test_bins_of_the_highest_scores_come_first() -> None:
    # 40 candidates in 20 bins of two; the best and one of the next two were bought; one has no score.
    scores = [*map(float, range(40)), None]
    scored = pl.DataFrame({"score": scores, "label": [int(s in (39.0, 37.0)) for s in scores]})
    bins = calibration_of(scored)
    assert [each["candidates"] for each in bins] == [2] * 20
    assert bins[0] == pytest.approx({"candidates": 2, "score": 38.5, "bought": 0.5, "lift": 10, "captured": 0.5})
    assert bins[1] == pytest.approx({"candidates": 2, "score": 36.5, "bought": 0.5, "lift": 10, "captured": 1})
    assert bins[-1] == pytest.approx({"candidates": 2, "score": 0.5, "bought": 0, "lift": 0, "captured": 1})
    assert calibration_of(scored.with_columns(label=0)) == []


def test_what_was_bought_by_its_place() -> None:
    lists = pl.DataFrame({"customer": [1, 1, 2, 2], "article": [5, 6, 6, 5], "rank": [1, 2, 1, 2]})
    labels = pl.DataFrame({"customer": [1, 2, 2], "article": [5, 6, 9]})
    assert bought_by_place(lists, labels, 3) == [1, 0, 0]
