"""Trees that are fitted before the validation origin, stopped on it, and fitted again with it for the test."""

import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.experiments.relbench.heads import CHURN, SALES
from hmgpu.experiments.relbench.metrics import of_churn
from hmgpu.experiments.relbench.trees import Rows, fitted

CPU = Engine("cpu", "tests")


def origin(seed: int, rows: int = 400, shift: float = 0.0, start: bool = False) -> Rows:
    """Rows whose target is their column, which is missing in some and 1 higher from what they start from."""
    draw = np.random.default_rng(seed)
    value = draw.normal(size=rows)
    column = pl.Series(value).scatter(range(0, rows, 20), None)
    columns = pl.DataFrame({"value": column, "noise": draw.normal(size=rows), "flag": value > 5})
    keys = pl.DataFrame({"customer": range(rows)}, schema={"customer": pl.Int32})
    target = value + shift + 10 if start else (value > shift).astype(np.float64)
    return Rows(keys, columns, target, np.full(rows, 10.0) if start else None)


def test_what_decides_is_learned_and_more_of_it_with_the_validation_origin() -> None:
    parts = [origin(1), origin(2)], origin(3), origin(4)
    (validation, test), trees = fitted(CPU, 1, *parts, CHURN)
    for predicted, rows in ((validation, parts[1]), (test, parts[2])):
        assert of_churn(predicted, rows.target).ours["roc_auc"] > 0.9
        assert ((predicted >= 0) & (predicted <= 1)).all()
    assert 1 <= trees < 500
    again, _ = fitted(CPU, 1, parts[0], origin(3, shift=0.5), parts[2], CHURN)
    assert not np.array_equal(again[1], test)


def test_sales_start_from_what_they_were() -> None:
    (validation, test), _ = fitted(CPU, 1, [origin(1, start=True)], origin(2, start=True), origin(3, start=True), SALES)
    assert np.abs(validation - origin(2, start=True).target).mean() < 0.3
    assert np.abs(test - origin(3, start=True).target).mean() == pytest.approx(0.15, abs=0.15)
