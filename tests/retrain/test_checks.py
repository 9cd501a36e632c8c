"""Figures of a week and the limits between it and the usual."""

from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.data.weeks import Week
from hmgpu.pipeline.retrain_settings import Limits
from hmgpu.retrain.checks import Figures, checks, figures, weeks_known

CPU = Engine("cpu", "tests")
WEEK = Week(700)
SCHEMA = {"day": pl.Int32, "customer": pl.Int32, "article": pl.Int32, "price": pl.Int32, "channel": pl.Int8}
EVERY_DAY = frozenset(range(7))
USUAL = Figures(1000, EVERY_DAY, 0.05, 0.06, 100.0, {0: 0.3, 1: 0.7})


def sold(*rows: tuple[int, ...]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=SCHEMA, orient="row")


def first_days(**articles: int) -> pl.LazyFrame:
    keys = [int(name[1:]) for name in articles]
    return pl.LazyFrame({"article": keys, "first_day": list(articles.values())}, schema_overrides={"article": pl.Int32})


def test_figures_of_a_week():
    rows = sold(
        (672, 1, 10, 90, 0),  # four weeks before
        (671, 2, 20, 90, 0),  # earlier: forgotten
        (700, 1, 10, 100, 0),  # repeated
        (700, 1, 10, 100, 1),  # and once more
        (702, 2, 20, 200, 1),  # was bought too long ago
        (706, 3, 10, 300, 1),  # by somebody else
        (706, 3, 30, 300, 1),  # never sold before
        (707, 9, 99, 900, 0),  # the week after
    )
    catalogue = first_days(a10=600, a20=671, a30=706, a99=707)
    found = figures(rows, catalogue, WEEK, [4], CPU)
    assert found == Figures(
        rows=5, days=frozenset({0, 2, 6}), new_articles=1 / 5, repeats=2 / 5, price=200.0, channels={0: 1 / 5, 1: 4 / 5}
    )


def test_prices_are_what_the_retailer_writes():
    rows = sold((700, 1, 10, 1999, 0), (701, 2, 10, 3499, 0))
    now = figures(rows, first_days(a10=600), WEEK, [], CPU, price_unit=Fraction("0.01"))
    assert now.price == 27.49
    (price,) = (each for each in checks(now, [now], 0.0, Limits(), currency="EUR") if each.name == "mean price")
    assert str(price) == "mean price is 27.49 EUR, usually 27.49 EUR (limit: usual ± 30 %)"
    assert price.record()["value"] == 27.49


def test_without_prices_and_channels():
    rows = sold((700, 1, 10, 100, 0)).drop("price", "channel")
    found = figures(rows, first_days(a10=600), WEEK, [], CPU)
    assert (found.price, found.channels, found.repeats) == (None, None, 0.0)
    assert [check.name for check in checks(found, [found], 0.0, Limits())] == [
        "days without the usual sales",
        "share of unknown ids",
        "number of purchases",
        "share of articles never sold before",
        "share of repeated purchases",
    ]


def test_a_week_without_sales_has_none():
    assert figures(sold((699, 1, 10, 1, 0), (707, 1, 10, 1, 0)), first_days(a10=1), WEEK, [1], CPU) is None


def test_what_is_repeated_is_looked_for_in_the_weeks_that_are_known():
    rows = sold((693, 1, 10, 1, 0), (686, 1, 20, 1, 0), (700, 1, 10, 1, 0), (701, 1, 20, 1, 0))
    assert weeks_known([686, 693, 700, 701], WEEK) == [1, 2]
    shares = {known: figures(rows, first_days(a10=1, a20=1), WEEK, known, CPU).repeats for known in [(1, 2), (2,), ()]}
    assert shares == {(1, 2): 1.0, (2,): 0.5, (): 0.0}


@pytest.mark.parametrize(("day", "known"), [(699, [1]), (693, [1]), (692, [2]), (672, [4]), (671, []), (700, [])])
def test_weeks_back(day, known):
    assert weeks_known([day], WEEK) == known


@pytest.mark.parametrize(
    ("change", "unknown", "broken"),
    [
        ({}, 0.0, []),
        ({"rows": 499}, 0.0, ["number of purchases"]),
        ({"rows": 500}, 0.0, []),
        ({"rows": 2001}, 0.0, ["number of purchases"]),
        ({"days": EVERY_DAY - {3}}, 0.0, ["days without the usual sales"]),
        ({}, 0.001, ["share of unknown ids"]),
        ({"new_articles": 0.26}, 0.0, ["share of articles never sold before"]),
        ({"new_articles": 0.24}, 0.0, []),
        ({"repeats": 0.029}, 0.0, ["share of repeated purchases"]),
        ({"price": 131.0}, 0.0, ["mean price"]),
        ({"price": 69.0}, 0.0, ["mean price"]),
        ({"price": 130.0}, 0.0, []),
        ({"channels": {0: 0.5, 1: 0.5}}, 0.0, ["share of purchases in another channel"]),
        ({"channels": {0: 0.2, 1: 0.7, 2: 0.1}}, 0.0, []),
        ({"channels": {2: 1.0}, "rows": 1}, 0.0, ["number of purchases", "share of purchases in another channel"]),
    ],
)
def test_each_limit_is_broken_by_what_it_is_for(change, unknown, broken):
    found = checks(replace(USUAL, **change), [USUAL, USUAL, USUAL], unknown, Limits())
    assert [check.name for check in found if not check.passed] == broken
    assert len(found) == 7


def test_usual_is_the_median_so_one_odd_week_does_not_move_it():
    odd = replace(USUAL, rows=9000, price=900.0, repeats=0.9)
    found = checks(USUAL, [USUAL, odd, USUAL], 0.0, Limits())
    assert all(check.passed for check in found)
    assert {check.name: check.usual for check in found}["number of purchases"] == 1000


@pytest.mark.parametrize("limit", ["volume", "missing_days", "unknown", "new_articles", "price", "channels", "repeats"])
def test_a_limit_of_null_lets_any_week_pass(limit):
    awful = Figures(1, frozenset({0}), 1.0, 0.0, 1e6, {7: 1.0})
    every = checks(awful, [USUAL], 1.0, Limits())
    assert not any(check.passed for check in every)
    assert len(checks(awful, [USUAL], 1.0, Limits(**{limit: None}))) == len(every) - 1


@pytest.mark.parametrize(
    ("opened", "sold", "days", "missing"),
    [
        ([EVERY_DAY - {3}] * 3, EVERY_DAY - {3}, 7, 0),  # a shop that is closed on that weekday
        ([EVERY_DAY - {3}] * 3, EVERY_DAY - {4}, 7, 1),
        ([EVERY_DAY - {3}] * 3, EVERY_DAY, 7, 0),
        ([EVERY_DAY, EVERY_DAY - {3}, EVERY_DAY], EVERY_DAY - {3}, 7, 1),  # closed there on a holiday
        ([EVERY_DAY, EVERY_DAY - {3}], EVERY_DAY - {3}, 7, 0),  # as often as not
        ([EVERY_DAY] * 3, frozenset({0, 1}), 2, 0),  # the other days are to come
        ([EVERY_DAY] * 3, frozenset({0, 2}), 3, 1),
        ([], EVERY_DAY - {3}, 7, 1),
    ],
)
def test_missing_are_the_weekdays_on_which_there_are_sales_in_most_weeks(opened, sold, days, missing):
    found = checks(replace(USUAL, days=sold), [replace(USUAL, days=each) for each in opened], 0.0, Limits(), days)
    assert found[0].name == "days without the usual sales"
    assert (found[0].value, found[0].passed) == (missing, missing == 0)


def test_of_a_week_that_goes_on_only_the_days_so_far_count():
    rows = sold((700, 1, 10, 1, 0), (701, 1, 10, 1, 0), (702, 1, 10, 1, 0))
    assert figures(rows, first_days(a10=1), WEEK, [], CPU, days=2).rows == 2
    assert figures(rows, first_days(a10=1), WEEK, [], CPU).rows == 3


def test_the_first_week_has_nothing_to_be_compared_with():
    found = checks(USUAL, [], 0.0, Limits())
    assert [check.name for check in found] == ["days without the usual sales", "share of unknown ids"]


def test_a_check_says_what_was_found():
    (broken,) = (check for check in checks(replace(USUAL, rows=10), [USUAL], 0.0, Limits()) if not check.passed)
    assert str(broken) == "number of purchases is 10, usually 1,000 (limit: 0.5 to 2 times the usual)"
