"""How much of a category a customer buys, relative to the expectation for customers of the same weeks."""

import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.plans import ONE
from hmgpu.parts.models.space.leaning import FEW, band_ratios, bands, bought_rows, ratios, week_shares

CPU = Engine("cpu", "tests")
KINDS = {1: {"department": 0}, 2: {"department": 1}, 3: {"department": None}}


def learned(history) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    rows = bought_rows(history, "department", 700)
    shares = week_shares(rows)
    ages = band_ratios(rows, shares, bands(history))
    return tuple(CPU.collect(plan.sort(pl.all())) for plan in (rows, shares, ages))


def test_rows_count_weeks_back_and_a_day_once(make_history, untranslated) -> None:
    history = make_history([(1, 0, 1), (1, 0, 1), (7, 0, 2), (8, 0, 1), (9, 1, 3), (701, 1, 1)], articles=KINDS)
    rows, shares, _ = learned(history)
    assert rows.rows() == [(0, 1, 0, 0), (0, 1, 0, 1), (0, 2, 1, 0)]
    assert shares.rows() == [(0, 0, ONE // 2), (0, 1, ONE // 2), (1, 0, ONE)]
    assert untranslated(week_shares(bought_rows(history, "department", 700))) == []


def test_a_ratio_follows_the_weeks_in_which_the_customer_bought(make_history) -> None:
    # A week ago only department 0 was sold, the week before only department 1: nobody had a choice, so nobody leans.
    bought = [(1, c, 1) for c in range(4)] + [(8, c, 2) for c in range(2, 6)]
    history = make_history(bought, articles=KINDS)
    rows, shares, ages = learned(history)
    members = CPU.collect(bands(history).sort("customer"))
    assert ratios(rows, shares, ages, members, 0.5) == pytest.approx(1)


def test_a_ratio_by_hand(make_history) -> None:
    bought = [(1, 0, 1), (2, 0, 1), (3, 0, 1), (1, 1, 2), (2, 1, 2), (3, 1, 1), (1, 2, 2), (2, 2, 2)]
    history = make_history(bought, articles=KINDS)
    rows, shares, ages = learned(history)
    assert ages.is_empty()  # nobody's age is known
    members = CPU.collect(bands(history).sort("customer"))
    found = ratios(rows, shares, ages, members, 0.25)
    # Half of all purchases were of either department.
    expected = [[3.25 / 1.75, 0.25 / 1.75], [1.25 / 1.75, 2.25 / 1.75], [0.25 / 1.25, 2.25 / 1.25]]
    assert found == pytest.approx(np.array(expected), rel=1e-5)


def test_a_newcomer_leans_like_their_age_group(make_history, untranslated) -> None:
    bought = [(1 + n % 7, n, 1) for n in range(8)] + [(1 + n % 7, n, 2) for n in range(8, 16)]
    people = {n: {"age": 21 if n < 8 else 60} for n in range(16)} | {
        16: {"age": 22},
        17: {"age": None},
        18: {"age": 40},
    }
    history = make_history(bought, articles=KINDS, customers=people)
    rows, shares, ages = learned(history)
    members = CPU.collect(bands(history).sort("customer"))
    young, unknown, others = ratios(rows, shares, ages, members, 0.25)[16:]
    assert young == pytest.approx([(8 + FEW) / (4 + FEW), FEW / (4 + FEW)], rel=1e-5)
    assert unknown == pytest.approx([1, 1])  # like everybody
    assert others == pytest.approx([1, 1])  # nobody of that age bought anything
    plan = bought_rows(history, "department", 700)
    assert untranslated(band_ratios(plan, week_shares(plan), bands(history))) == []


def test_a_category_that_nobody_bought_before_is_left_out(make_history) -> None:
    history = make_history([(1, 0, 1), (2, 0, 2)], articles=KINDS)
    rows, shares, ages = learned(history)
    members = CPU.collect(bands(history).sort("customer"))
    assert ratios(rows, shares.filter(pl.col("category") == 0), ages, members, 0.25).shape == (1, 1)
