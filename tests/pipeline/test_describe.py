"""Candidates with the columns of every family, and families that may not be joined."""

import polars as pl
import pytest

from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.describe import with_columns

PAIRS = pl.DataFrame({"customer": [2, 1, 1], "article": [5, 9, 5]})


def test_columns_are_joined_by_the_keys_that_a_family_has(engine):
    families = {
        "people": pl.LazyFrame({"customer": [1, 7], "age": [30, 99]}),
        "articles": pl.LazyFrame({"article": [5], "price": [100]}),
        "both": pl.LazyFrame({"customer": [2], "article": [5], "bought": [3]}),
    }
    assert with_columns(PAIRS, families, engine).rows(named=True) == [
        {"customer": 2, "article": 5, "age": None, "price": 100, "bought": 3},
        {"customer": 1, "article": 9, "age": 30, "price": None, "bought": None},
        {"customer": 1, "article": 5, "age": 30, "price": 100, "bought": None},
    ]


def test_rows_in_the_order_of_the_candidates_and_in_another_say_the_same(engine):
    said = PAIRS.with_columns(bought=pl.Series([1, 2, 3]))
    found = [with_columns(PAIRS, {"both": rows.lazy()}, engine) for rows in (said, said.reverse(), said.head(3))]
    assert all(table.equals(said) for table in found)


def test_a_key_that_comes_a_hundred_thousand_times_is_refused_before_it_is_joined(engine):
    """A join would give ten thousand million rows."""
    pairs = PAIRS.head(1).select(pl.all().repeat_by(100_000).explode())
    broken = {"features.broken": pairs.select("article", price=1).lazy()}
    with pytest.raises(ConfigError, match=r"features\.broken gives more than one row for a key"):
        with_columns(pairs, broken, engine)


def test_two_families_with_one_column_are_refused(engine):
    families = {name: pl.LazyFrame({"customer": [1], "age": [30]}) for name in ("features.one", "features.two")}
    with pytest.raises(
        ConfigError,
        match=r"features\.two computes the column 'age', which another part computes too: drop one of the two",
    ):
        with_columns(PAIRS, families, engine)


def test_a_family_with_two_rows_for_a_key_is_refused(engine):
    families = {
        "features.fine": pl.LazyFrame({"customer": [1], "age": [30]}),
        "features.broken": pl.LazyFrame({"article": [5, 5], "price": [1, 2]}),
    }
    with pytest.raises(ConfigError, match=r"features\.broken gives more than one row for a key"):
        with_columns(PAIRS, families, engine)
