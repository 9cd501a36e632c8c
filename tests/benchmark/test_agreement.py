"""Results that differ are refused, whatever they differ in."""

import polars as pl
import pytest
import torch

from hmgpu.benchmark.agreement import DisagreementError, largest_difference, same_tensors

TABLE = pl.DataFrame({"key": [2, 1], "code": [7, 8], "number": [0.5, 1.0], "list": [[1], [1, 2]]})


def test_the_order_of_rows_does_not_matter_and_the_largest_gap_is_returned():
    other = TABLE.with_columns(number=pl.Series([0.5, 1.25])).sort("key")
    assert largest_difference(TABLE, other, 0.5) == 0.25


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("code", [7, 9], "'code' differs at key 1: 8 and 9"),
        ("list", [[1], [2, 1]], "'list' differs at key 1"),
        ("number", [0.5, 1.1], "'number' differs by"),
        ("number", [0.5, None], "'number' differs"),
        ("number", [0.5, float("nan")], "'number' differs"),
        ("key", [2, 3], "keys differ"),
    ],
)
def test_a_difference_is_refused(column, values, says):
    with pytest.raises(DisagreementError, match=says):
        largest_difference(TABLE, TABLE.with_columns(pl.Series(column, values)), 0.01)


def test_a_table_of_several_keys_says_where_it_differs():
    by = ("customer", "article")
    table = pl.DataFrame({"customer": [1, 1, 2], "article": [5, 6, 5], "units": [1, 2, 3]})
    assert largest_difference(table, table.reverse(), 0, by) == 0
    with pytest.raises(DisagreementError, match="'units' differs at customer 1, article 6: 2 and 4"):
        largest_difference(table, table.with_columns(units=pl.Series([1, 4, 3])), 0, by)
    with pytest.raises(DisagreementError, match="keys differ: 3 and 2 rows"):
        largest_difference(table, table.head(2), 0, by)


def test_large_numbers_may_differ_in_proportion():
    table, other = (pl.DataFrame({"key": [1, 2], "x": values}) for values in ([1000.0, 0.5], [1001.0, 0.5]))
    assert largest_difference(table, other, 0.002, relative=True) == pytest.approx(0.001, rel=0.01)
    with pytest.raises(DisagreementError, match="'x'"):
        largest_difference(table, other, 0.002)
    with pytest.raises(DisagreementError, match="'x'"):
        largest_difference(table, table.with_columns(x=pl.Series([1000.0, 0.51])), 0.002, relative=True)


def test_a_column_more_is_refused():
    with pytest.raises(DisagreementError, match=r"\['more'\]"):
        largest_difference(TABLE, TABLE.with_columns(more=1), 0.01)


@pytest.mark.parametrize("other", [[1.0, 2.1], [1.0, float("nan")], [1.0]])
def test_tensors_that_differ_are_refused(other):
    with pytest.raises(DisagreementError, match="'x'"):
        same_tensors({"x": torch.tensor([1.0, 2.0])}, {"x": torch.tensor(other)}, 0.01)


def test_tensors_within_the_tolerance_are_not():
    assert same_tensors({"x": torch.tensor([1.0, 2.0])}, {"x": torch.tensor([1.0, 2.5])}, 0.5) == 0.5
