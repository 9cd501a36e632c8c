"""Patterns of ids match the ids of next week, too."""

import polars as pl
import pytest

from hmgpu.data.proposal.patterns import ANY, pattern_of


@pytest.mark.parametrize(
    ("ids", "pattern"),
    [
        (["0108775015", "0108775044"], r"\d{10}"),
        (["1", "250"], r"\d+"),
        (["00af" * 16, "b3c4" * 16], "[0-9a-f]{64}"),
        (["abcd" * 16, "abcd" * 16], "[0-9a-f]{64}"),
        (["K-00103", "K-25001"], r"K-\d{5}"),
        (["SKU 1", "SKU 22"], r"SKU\ \d+"),
        (["kumo_00001", "kumo_11440"], r"kumo_\d{5}"),
        (["685/36 S", "100/37 R"], ANY),
        (["85123A", "71053"], ANY),
        (["dead", "beef"], ANY),
        (["K"], ANY),
        ([], ANY),
    ],
)
def test_patterns(ids, pattern):
    column = pl.Series(ids, dtype=pl.String)
    assert pattern_of(column) == pattern
    assert column.str.contains(f"^(?:{pattern})$").all()
