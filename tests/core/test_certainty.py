"""Intervals and p-values against theory, SciPy, and cases worked by hand."""

import itertools
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hmgpu.core.certainty import UNIT, holm, intervals, p_value, ratio_interval


def rows(gains, customers=None) -> pl.DataFrame:
    gains = list(gains)
    return pl.DataFrame({"customer": customers or range(len(gains)), "gain": gains}, schema_overrides={"gain": float})


def test_the_interval_is_that_of_a_mean():
    gains = np.random.default_rng(1).normal(0.02, 0.1, size=2_000)
    low, high = intervals(rows(gains))["gain"]
    spread = 1.96 * gains.std() / np.sqrt(2_000)
    assert low == pytest.approx(gains.mean() - spread, abs=0.1 * spread)
    assert high == pytest.approx(gains.mean() + spread, abs=0.1 * spread)


def test_the_interval_is_scipys():
    gains = np.random.default_rng(2).exponential(0.05, size=500)
    theirs = stats.bootstrap((gains,), np.mean, n_resamples=5_000, method="percentile", rng=3).confidence_interval
    width = theirs.high - theirs.low
    assert intervals(rows(gains))["gain"] == (
        pytest.approx(theirs.low, abs=0.08 * width),
        pytest.approx(theirs.high, abs=0.08 * width),
    )


def test_the_order_of_rows_changes_no_bit():
    draw = np.random.default_rng(4)
    table = pl.DataFrame({"customer": draw.integers(400, size=900), "a": draw.random(900), "b": draw.random(900)})
    assert intervals(table) == intervals(table.sample(fraction=1.0, shuffle=True, seed=5))
    # Every column is sampled alike, next to others or alone.
    assert intervals(table)["b"] == intervals(table.select("customer", "b"))["b"]


def test_a_customer_is_sampled_with_all_weeks():
    # A quarter of the customers buy in three weeks and gain 1 in each: rows sampled one by one would vary less.
    customers = [*(customer for customer in range(100) for _ in range(3)), *range(100, 400)]
    low, high = intervals(rows([1.0] * 300 + [0.0] * 300, customers))["gain"]
    assert low < 0.5 < high
    by_row = 2 * 1.96 * np.sqrt(0.5 * 0.5 / 600)
    assert high - low > 1.2 * by_row
    # The test sees 100 customers who gain, not 300: with as many who lose it has no more to say than with one week.
    thrice, once = [0.25] * 300 + [-0.25] * 240, [0.25] * 100 + [-0.25] * 80
    people = [customer for customer in range(180) for _ in range(3)]
    assert p_value(rows(thrice, people)) == p_value(rows(once)) > p_value(rows(thrice))


def test_every_average_precision_is_a_whole_number_of_units():
    for bought, places in itertools.product(range(1, 13), ((1,), (7, 11), (2, 3, 5, 8, 12), tuple(range(1, 13)))):
        precision = sum(hit / place for hit, place in enumerate(places, 1)) / bought
        assert precision * UNIT == pytest.approx(round(precision * UNIT), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_the_p_value_is_the_share_of_signs_that_differ_as_much(whole):
    exact = np.mean(
        [abs(np.dot(signs, whole)) >= abs(sum(whole)) for signs in itertools.product((-1, 1), repeat=len(whole))]
    )
    found = p_value(rows(gain / 12 for gain in whole))
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9_999) + 2e-4)
    assert p_value(rows(-gain / 12 for gain in whole)) == found


def test_the_p_value_agrees_with_scipys():
    gains = np.random.default_rng(6).normal(0.01, 0.1, size=300)
    assert p_value(rows(gains)) == pytest.approx(stats.ttest_1samp(gains, 0).pvalue, abs=0.02)
    given = {"permutation_type": "samples", "n_resamples": 2_000, "rng": 7}
    assert p_value(rows(gains)) == pytest.approx(stats.permutation_test((gains,), np.mean, **given).pvalue, abs=0.03)


def test_it_is_no_surprise_that_nothing_differs_and_one_that_all_do():
    assert p_value(rows([0.0, 0.0])) == 1
    assert p_value(rows([0.5] * 40)) == 1 / 10_000
    assert p_value(rows([0.5] * 40 + [0.0] * 1_000)) == 1 / 10_000


def test_p_values_are_corrected_for_how_many_there_are() -> None:
    assert holm([]) == []
    assert holm([0.03]) == [0.03]
    # Worked out by hand: 3 x .01; 2 x .02, which is more; .03, but no less than the one before; at most 1.
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("below", "above", "interval"),
    [
        ([0.0, 0.0], [0.0, 0.0], (1.0, 1.0)),  # neither found anything
        ([0.0, 0.0], [1.0, 1.0], (math.inf, math.inf)),
        ([0.5, 0.0], [0.5, 0.5], (1.0, math.inf)),  # a sample may have none of the first customer
        ([0.5, 0.5], [1.0, 1.0], (2.0, 2.0)),
    ],
)
def test_a_ratio_to_nothing_is_infinite_and_of_nothing_to_nothing_is_one(below, above, interval):
    rows = pl.DataFrame({"customer": range(len(below)), "below": below, "above": above})
    with np.errstate(all="raise"):
        assert ratio_interval(rows) == interval
