"""Encoded purchases: one file for each week, described as of that week, with weights and draws worked out by hand."""

import math

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.towers.purchases import write_purchases
from hmgpu.parts.models.training.batches import LOG_DRAWS, SHARE, TARGET, WEEK, WEIGHT
from hmgpu.parts.retrievers.two_tower import TwoTower

CPU = Engine("cpu", "tests")
SETTINGS = TwoTower(weeks=3, batch=10, extra=4, extra_power=0.5, recent=4).model_copy(update={"half_life": 1})


@pytest.fixture
def history(make_history):
    """Articles 0..3 are old; last week customer 1 buys 0 twice and 1, and 2 buys 0; the week before nobody buys."""
    long_ago = [(60, customer, article) for customer in range(5) for article in range(4)]
    sold = [(20, 3, 0)] * 9 + [(20, 4, 1)] * 4
    return make_history([*long_ago, *sold, (3, 1, 0), (2, 1, 0), (3, 1, 1), (1, 2, 0), (2, 2, 9)])


@pytest.fixture
def written(history, tmp_path):
    return write_purchases(history, kit.encoders(history, CPU), SETTINGS, tmp_path)


def test_a_file_for_each_week_in_which_something_was_bought(written, history):
    weeks = [history.cutoff - 7, history.cutoff - 21]
    assert [int(file.stem) for file in written.bought] == weeks
    assert [int(file.stem) for file in written.on_sale] == weeks
    for week, file in zip(weeks, written.bought, strict=True):
        assert pl.read_parquet(file)[WEEK].unique().to_list() == [week]


def test_rows_carry_weights_that_halve_and_draws_that_are_expected(written):
    last, earlier = (pl.read_parquet(file) for file in written.bought)
    assert last[TARGET].to_list() == [0, 1, 0]
    assert last[WEIGHT].to_list() == [1.0] * 3
    assert earlier[WEIGHT].unique().to_list() == [0.25]
    # In a batch of 10, two thirds are article 0; of 4 extra ones, by the root of sales 9 : 4, three fifths.
    expected = {0: 10 * 2 / 3 + 4 * 3 / 5, 1: 10 * 1 / 3 + 4 * 2 / 5}
    found = dict(last.select(TARGET, LOG_DRAWS).iter_rows())
    assert found == {article: pytest.approx(math.log(draws)) for article, draws in expected.items()}


def test_extra_negatives_are_what_was_on_sale(written):
    pool = pl.read_parquet(written.on_sale[0])
    assert dict(pool.select(TARGET, SHARE).iter_rows()) == {0: pytest.approx(0.6), 1: pytest.approx(0.4)}


def test_no_extra_negatives_are_written_if_none_are_wanted(history, tmp_path):
    plain = SETTINGS.model_copy(update={"extra": 0})
    assert write_purchases(history, kit.encoders(history, CPU), plain, tmp_path).on_sale == []


def test_customers_are_described_before_the_week(written):
    """The lists of the last week's buyers have nothing that they bought in that week."""
    last = pl.read_parquet(written.bought[0])
    assert last["recent_article"].list.len().to_list() == [4, 4, 4]  # the four old ones
    assert last["days_since"].n_unique() == 1
