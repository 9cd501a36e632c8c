"""Complete weeks, and bands that double."""

import polars as pl
from data.explore.shown import WEEKS

from hmgpu.data.explore.whole import doubling


def test_weeks_that_are_cut_off_are_left_out(whole):
    assert whole.weeks == WEEKS


def test_bands_double():
    assert doubling(pl.Series([1, 2, 3, 4, 8, 8])) == [("1", 1), ("2–3", 2), ("4–7", 1), ("8–15", 2)]
    assert doubling(pl.Series([1, 2]), pl.Series([5, 7])) == [("1", 5), ("2–3", 7)]
    assert doubling(pl.Series([], dtype=pl.Int64)) == []
