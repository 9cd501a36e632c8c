"""Dots lie on a scale of round numbers, the largest first."""

import pytest

from hmgpu.core.html.dots import Dots


def test_the_largest_comes_first_unless_the_order_says_something():
    figures = [("a", 1.0, None), ("b", 3.0, None), ("c", 3.0, None)]
    assert [row.name for row in Dots("", figures).rows] == ["b", "c", "a"]
    assert [row.name for row in Dots("", figures, ordered=False).rows] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("figures", "ends", "zero"),
    [
        ([1.0, 4.0], ("0", "4"), None),
        ([3.0, 4.0], ("3", "4"), None),  # all far from 0
        ([-1.0, 1.0], ("-1", "1"), 50.0),
        ([0.0], ("0", "1"), None),
        ([], ("0", "1"), None),
    ],
)
def test_the_scale_begins_at_zero_unless_all_are_far_from_it(figures, ends, zero):
    dots = Dots("", [("a", value, None) for value in figures], "{:.0f}".format)
    assert (dots.ends, dots.zero) == (ends, zero)
    assert all(0 <= row.at <= 100 for row in dots.rows)


def test_an_interval_is_inside_the_scale():
    (row,) = Dots("", [("a", 0.5, (-1.0, 2.0))]).rows
    assert (row.low, row.high) == (0.0, 100.0)
    assert row.interval == "-1.00000 to 2.00000"
