"""Sequences worked out by hand: what stands in them, what is cut off, and which purchases are predicted."""

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.sequences.sequences import by_width, events, sequences, width_of, write_sequences
from hmgpu.parts.retrievers.sasrec import SASRec
from hmgpu.testing import CUTOFF, untranslated

CPU = Engine("cpu", "tests")
ARTICLES = pl.DataFrame(
    {"article": [4, 5, 6, 9], "place": [1, 2, 3, 4]}, schema={"article": pl.Int32, "place": pl.Int32}
)


@pytest.fixture
def history(make_history):
    """Customer 1 buys 6 and 4 (two units) on a day and 9 later, 2 bought 5 long ago, 3 never bought."""
    bought = [(30, 1, 6), (30, 1, 4), (30, 1, 4), (9, 1, 9), (400, 2, 5)]
    return make_history(bought, customers={1: {"age": 37}, 2: {}, 3: {"age": 119}})


def rows(found: pl.DataFrame) -> dict[int, tuple]:
    days = pl.col("days").list.eval(CUTOFF - pl.element())
    table = found.with_columns(days, since=CUTOFF - pl.col("since"))
    return {
        row["customer"]: tuple(row[name] for name in ("places", "days", "band", "since")) for row in table.to_dicts()
    }


def test_a_question_stands_before_the_purchases_of_each_day_and_asks_for_the_cutoff(history):
    assert rows(sequences(history, ARTICLES, 50, CPU, asking=True)) == {
        1: ([0, 1, 3, 0, 4, 0], [30, 30, 30, 9, 9, 0], 4, 30),
        2: ([0, 2, 0], [400, 400, 0], 0, 400),
        3: ([0], [0], 12, 0),
    }


def test_without_asking_only_those_who_bought_have_a_sequence(history):
    found = rows(sequences(history, ARTICLES, 50, CPU, asking=False))
    assert {customer: places for customer, (places, *_) in found.items()} == {1: [0, 1, 3, 0, 4], 2: [0, 2]}


def test_a_question_that_has_purchases_cut_off_before_it_does_not_count(history):
    """Of the latest purchase alone nobody may learn what somebody buys who has not bought yet."""
    found = rows(sequences(history, ARTICLES, 1, CPU, asking=False))
    assert found[1] == ([0, 4], [9, 9], 4, 8)
    assert found[2] == ([0, 2], [400, 400], 0, 400)


def test_files_hold_one_width_and_predict_the_purchases_of_their_weeks(history, tmp_path):
    settings = SASRec(weeks=2)
    (file,) = write_sequences(history, ARTICLES, settings, CPU, tmp_path)
    assert pl.read_parquet(file).select("places", "since").rows() == [([0, 1, 3, 0, 4], CUTOFF - 14)]
    both = write_sequences(history, ARTICLES, SASRec(weeks=60), CPU, tmp_path)
    assert pl.read_parquet(both).height == 2
    assert write_sequences(history, ARTICLES, SASRec(weeks=1), CPU, tmp_path) == []


def test_widths_are_powers_of_two_that_hold_a_sequence():
    assert [width_of(longest) for longest in (1, 8, 9, 64, 65)] == [8, 8, 16, 64, 128]
    table = pl.DataFrame({"places": [[0] * length for length in (9, 1, 8, 40)]})
    parts = {width: some["places"].list.len().to_list() for width, some in by_width(table)}
    assert parts == {8: [1, 8], 16: [9], 64: [40]}


def test_their_plan_translates_to_cudf(history):
    assert untranslated(events(history, ARTICLES.lazy(), 50, asking=True)) == []
