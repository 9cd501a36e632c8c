"""What the sections of `explore.html` say of a data set that can be counted by hand."""

import polars as pl
import pytest

from hmgpu.exploration import repurchases as module
from hmgpu.exploration.articles import articles
from hmgpu.exploration.buyers import buyers
from hmgpu.exploration.lifetimes import lifetimes
from hmgpu.exploration.prices import prices
from hmgpu.exploration.repurchases import repurchases, weekly
from hmgpu.exploration.sales import sales
from hmgpu.exploration.seasons import by_month
from hmgpu.exploration.whole import doubling
from hmgpu.report.blocks import Bars, Facts, Grid
from hmgpu.report.lines import Lines

WEEKS = ["2020-09-02", "2020-09-09", "2020-09-16"]


def block(section, title: str):
    return next(block for block in section.blocks if getattr(block, "title", "").startswith(title))


def facts(section) -> dict[str, str]:
    return next(dict(block.figures) for block in section.blocks if isinstance(block, Facts))


def bars(section, title: str) -> dict[str, float]:
    found = block(section, title)
    assert isinstance(found, Bars)
    return {name: value for name, value, _ in found.rows}


def line(section, title: str) -> dict[str, list[float | None]]:
    found = block(section, title)
    assert isinstance(found, Lines)
    assert found.places == WEEKS
    return dict(found.series)


def test_weeks_that_are_cut_off_are_left_out(whole):
    assert whole.weeks == WEEKS


def test_sales_a_week(whole):
    section = sales(whole)
    assert facts(section) == {"units": "14", "customers": "4", "articles": "5", "whole weeks": "3"}
    assert line(section, "Units") == {"units": [3, 8, 2]}
    assert line(section, "Customers") == {"customers": [2, 2, 1]}
    assert line(section, "Articles") == {"articles": [2, 2, 2]}
    assert line(section, "Share of a week's units by") == {
        "1": [pytest.approx(2 / 3), 0.0, 0.5],
        "2": [pytest.approx(1 / 3), 1.0, 0.5],
    }


def test_what_customers_buy(whole):
    section = buyers(whole)
    said = facts(section)
    assert said["ever bought"] == "3"
    assert said["bought one unit"] == "0.0 %"
    assert said["bought on one day only"] == "0.0 %"
    assert said["units of the best 1 % of customers"] == "50.0 %"  # customer 3 has 7 of 14
    quantiles = block(section, "So many")
    assert isinstance(quantiles, Grid)
    assert quantiles.rows == [
        ["units", "3", "3", "4", "7", "7", "7", "7"],
        ["days with a purchase", "3", "3", "3", "3", "3", "3", "3"],
    ]
    assert bars(section, "Customers by the units") == {"1": 0, "2–3": pytest.approx(1 / 3), "4–7": pytest.approx(2 / 3)}
    assert bars(section, "Their share") == {"1": 0, "2–3": pytest.approx(3 / 14), "4–7": pytest.approx(11 / 14)}
    # Customer 1 bought first in the week that is cut off.
    assert line(section, "Customers who buy for the first") == {"customers": [1, 1, None]}
    # small_world makes its first four customers 21 to 24 years old.
    assert bars(section, "Customers by age") == {"20–24": 4}
    assert bars(section, "Units by age") == {"20–24": 14}


def test_repurchases_are_of_an_earlier_day(whole):
    table = weekly(whole)
    assert table.select("purchases", "again", "several", "bulk").rows() == [
        (1, 0, 0, 0),  # of the week that is cut off
        (2, 1, 1, 0),  # customer 1 buys article 1 again, twice
        (4, 3, 1, 1),  # customer 1 again; customer 3 buys article 3 on three days, five units on the last
        (2, 1, 0, 0),
    ]
    section = repurchases(whole)
    assert line(section, "Share") == {"repurchases": [0.5, 0.75, 0.5]}
    assert facts(section) == {
        "purchases": "9",
        "of them repurchases": "55.6 %",
        "of several units": "22.2 %",
        "of 5 units and more": "11.1 %",
    }


def test_slices_of_customers_change_nothing(whole, monkeypatch):
    once = weekly(whole)
    monkeypatch.setattr(module, "ROWS", 5)
    assert weekly(whole).equals(once)


def test_best_and_least_sellers(whole):
    section = articles(whole)
    assert facts(section) == {
        "ever sold": "4",
        "never sold": "1",
        "sold in the last 28 days": "4",
        "sold once": "25.0 %",
        "units of the best tenth": "50.0 %",
    }
    best, least = block(section, "Best"), block(section, "Least")
    assert [row[2:] for row in best.rows] == [
        ["7", "2020-09-10", "2020-09-12"],
        ["4", "2020-09-01", "2020-09-09"],
        ["2", "2020-09-03", "2020-09-22"],
        ["1", "2020-09-16", "2020-09-16"],
    ]
    assert [row[2] for row in least.rows] == ["1", "2", "4", "7"]
    assert "<script>" in best.rows[0][1]
    assert bars(section, "Articles by the units") == {"1": 1, "2–3": 1, "4–7": 2}


def test_lifetimes_count_both_ends(whole):
    section = lifetimes(whole)
    # 9 days, 20 days, 3 days and one.
    assert bars(section, "Articles by lifetime") == {
        "up to a week": 2,
        "1–4 weeks": 2,
        "4–13 weeks": 0,
        "13–26 weeks": 0,
        "26–52 weeks": 0,
        "over 52 weeks": 0,
    }
    assert facts(section) == {"median lifetime in days": "3"}
    assert line(section, "Articles sold for the first time") == {"articles": [1, 1, 1]}
    assert line(section, "Share") == {"new": [None, None, None]}  # all is sold in the first 28 days


def test_months_are_compared_with_the_groups_own_mean(whole):
    rows = dict(by_month(whole, "garment_group"))
    assert len(rows) == 3
    assert all(values[8] == 1.0 for values in rows.values())  # all is sold in September
    assert all(value is None for values in rows.values() for month, value in enumerate(values) if month != 8)


def test_prices_are_in_the_data_s_unit(whole):
    section = prices(whole)
    quantiles = block(section, "So much")
    # By units: 3 at 100, 2 at 200, 1 at 300, 1 at 500, 7 at 1000 of 1/59000.
    assert quantiles.rows == [["price", *(f"{units / 59000:.3g}" for units in (100, 100, 200, 500, 1000, 1000, 1000))]]
    shares = bars(section, "Units by price")
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values())[-1] == 0.5
    assert line(section, "Mean price") == {
        "mean": [pytest.approx(400 / 3 / 59000), pytest.approx(7300 / 8 / 59000), pytest.approx(350 / 59000)]
    }


def test_bands_double():
    assert doubling(pl.Series([1, 2, 3, 4, 8, 8])) == [("1", 1), ("2–3", 2), ("4–7", 1), ("8–15", 2)]
    assert doubling(pl.Series([1, 2]), pl.Series([5, 7])) == [("1", 5), ("2–3", 7)]
    assert doubling(pl.Series([], dtype=pl.Int64)) == []
