"""Raw rows, worked out by hand, and whether cuDF can run their plans."""

import datetime

import polars as pl
import pytest

from hmgpu.data.store import History
from hmgpu.data.weeks import day_number
from hmgpu.parts.models.encode.columns import columns
from hmgpu.parts.models.encode.rows import UNKNOWN, article_rows, context_rows, customer_rows, latest_rows

CUTOFF = 18_500  # 2020-08-26
BOUGHT = [(3, 1, 10), (3, 1, 11), (1, 1, 10), (40, 2, 12), (28, 2, 10), (7, 2, 11), (8, 2, 11)]
PRICES = [100, 300, 200, 50, 400, 600, 700]
CHANNELS = [0, 1, 1, 0, 0, 0, 1]
PLANS = {
    "customers": customer_rows,
    "articles": article_rows,
    "context": context_rows,
    "latest": lambda history: latest_rows(history, history.customers.select("customer"), 3),
}
SIDES = {"customers": ("customer", "context"), "articles": ("article",), "context": ("context",)}
every_plan = pytest.mark.parametrize("plan", PLANS)


@pytest.fixture
def history(make_history) -> History:
    customers = {1: {"age": 30, "club": 2, "postal_code": 7, "active": 1}, 2: {}, 3: {"news": 1}}
    articles = {10: {"product": 5, "product_type": 1, "colour": 0}, 11: {"product": 5}}
    return make_history(BOUGHT, articles, customers, PRICES, CHANNELS)


def rows_of(engine, plan: pl.LazyFrame) -> dict[int, dict]:
    rows = engine.collect(plan.sort("key")).to_dicts()
    return {row.pop("key"): row for row in rows}


def test_habits_up_to_the_cutoff(engine, history):
    rows = rows_of(engine, customer_rows(history))
    assert {key: (row["units"], row["days_since"], row["price_level"]) for key, row in rows.items()} == {
        1: (3.0, 1.0, 200.0),
        2: (4.0, 7.0, 437.5),
        3: (0.0, None, None),
    }
    assert rows[1]["first_channel"] == pytest.approx(1 / 3)
    assert (rows[2]["first_channel"], rows[3]["first_channel"]) == (0.75, None)


def test_the_profile_is_there_and_missing_codes_are_unknown(engine, history):
    rows = rows_of(engine, customer_rows(history))
    wanted = ("customer", "age", "club", "news", "postal_code", "active", "fn")
    assert [tuple(row[name] for name in wanted) for row in rows.values()] == [
        (1, 30.0, 2, UNKNOWN, 7, 1, 0),
        (2, None, UNKNOWN, UNKNOWN, UNKNOWN, 0, 0),
        (3, None, UNKNOWN, 1, UNKNOWN, 0, 0),
    ]


def test_the_channel_is_that_of_the_latest_day(engine, history):
    assert {key: row["channel"] for key, row in rows_of(engine, customer_rows(history)).items()} == {
        1: 1,
        2: 0,
        3: UNKNOWN,
    }


@pytest.mark.parametrize("channels", [[1, 126, 5], [126, 5, 1]])
def test_of_several_channels_on_the_latest_day_it_is_the_last_in_the_list(engine, make_history, channels):
    history = make_history([(2, 1, 10), (2, 1, 10), (2, 1, 10), (3, 1, 10)], channels=[*channels, 127])
    assert rows_of(engine, customer_rows(history))[1]["channel"] == 126


def test_the_recent_price_or_else_the_one_before(engine, history):
    prices = {key: row["price"] for key, row in rows_of(engine, article_rows(history)).items()}
    assert prices[10] == pytest.approx(700 / 3)  # 28 days ago is recent
    assert prices == {10: prices[10], 11: pytest.approx(1600 / 3), 12: 50.0}


def test_an_old_price_does_not_count_where_there_is_a_recent_one(engine, make_history):
    history = make_history([(29, 1, 10), (28, 1, 10)], prices=[100, 300])
    assert rows_of(engine, article_rows(history))[10]["price"] == 300.0


def test_sales_windows_and_days_on_sale(engine, history):
    rows = rows_of(engine, article_rows(history))
    assert {key: (row["sales_7"], row["sales_28"], row["days_on_sale"]) for key, row in rows.items()} == {
        10: (2.0, 3.0, 28.0),
        11: (2.0, 3.0, 8.0),
        12: (0.0, 0.0, 40.0),
    }


def test_attributes_are_there_and_missing_codes_are_unknown(engine, history):
    rows = rows_of(engine, article_rows(history))
    assert [(r["article"], r["product"], r["product_type"], r["colour"]) for r in rows.values()] == [
        (10, 5, 1, 0),
        (11, 5, UNKNOWN, UNKNOWN),
        (12, UNKNOWN, UNKNOWN, UNKNOWN),
    ]


def test_the_week_of_the_year(engine, make_history):
    """A year has 365.25 days: that of 2020 starts at noon on its first day."""
    new_year = day_number(datetime.date(2020, 1, 1))
    ago = [CUTOFF - new_year - days for days in (-1, 0, 1, 7, 8)]
    rows = engine.collect(context_rows(make_history([(days, 1, 10) for days in ago])))
    weeks = {CUTOFF - row["key"]: row["week_of_year"] for row in rows.to_dicts()}
    assert [weeks[days] for days in ago] == [51, 52, 0, 0, 1]
    assert rows_of(engine, customer_rows(make_history([(1, 1, 10)])))[1]["week_of_year"] == 33


def test_the_context_is_every_day_and_channel_once(engine, history):
    rows = engine.collect(context_rows(history).sort("key", "channel"))
    expected = sorted({(CUTOFF - ago, channel) for (ago, _, _), channel in zip(BOUGHT, CHANNELS, strict=True)})
    assert rows.select("key", "channel").rows() == expected


def test_the_latest_articles_newest_first(engine, make_history):
    history = make_history([(9, 1, 14), (5, 1, 13), (5, 1, 12), (2, 1, 14), (7, 2, 11), (6, 3, 11)])
    asked = pl.LazyFrame({"customer": [1, 2, 9]}, schema={"customer": pl.Int32})
    found = engine.collect(latest_rows(history, asked, 2).sort("customer", "rank"))
    # Article 14 was bought twice and counts by its later day; 12 and 13 were bought on one day.
    assert found.rows() == [(1, 1, 14), (1, 2, 12), (2, 1, 11)]
    everything = engine.collect(latest_rows(history, asked, 9).filter(pl.col("customer") == 1).sort("rank"))
    assert everything["key"].to_list() == [14, 12, 13]


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("plan", SIDES)
def test_codes_are_int32_without_nulls_and_numbers_float32(engine, make_history, history, plan, bare):
    """Types are the same with and without missing values, as a fitted workflow needs."""
    past = make_history(BOUGHT, present=frozenset()) if bare else history
    rows = engine.collect(PLANS[plan](past))
    wanted = [c for side in SIDES[plan] for c in columns(side, past.present) if c.encoding != "ratio"]
    assert dict(rows.schema) == {"key": pl.Int32} | {
        column.name: pl.Int32 if column.encoding == "category" else pl.Float32 for column in wanted
    }
    assert sum(rows.select(pl.col(pl.Int32)).null_count().row(0)) == 0


@every_plan
def test_plans_translate_to_cudf(plan, history, untranslated):
    assert untranslated(PLANS[plan](history)) == []
