"""The `data` section: what a retailer can declare about its own files."""

import pytest
from pydantic import ValidationError

from hmgpu.data.settings import ColumnNames, DataSettings, Files


def described(**settings) -> DataSettings:
    """Settings with the required folders."""
    return DataSettings(raw="raw", root="data", **settings)


def test_hms_names_unless_the_config_says_otherwise():
    names = ColumnNames(transactions={"day": "date", "price": None})
    assert names.of("transactions") == {
        "day": "date",
        "customer": "customer_id",
        "article": "article_id",
        "price": None,
        "channel": "sales_channel_id",
    }
    assert names.of("customers")["age"] == "age"


@pytest.mark.parametrize("table", ["transactions", "articles", "customers"])
def test_an_unknown_column_is_refused_with_the_known_ones(table):
    with pytest.raises(ValidationError, match=f"'shoe' is not a column of {table}, which has .*(customer|article)"):
        ColumnNames(**{table: {"shoe": "x"}})


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("transactions", "day"),
        ("transactions", "customer"),
        ("transactions", "article"),
        ("articles", "article"),
        ("customers", "customer"),
    ],
)
def test_keys_and_days_cannot_be_absent(table, column):
    with pytest.raises(ValidationError, match=f"'{column}' can't be declared absent"):
        ColumnNames(**{table: {column: None}})


@pytest.mark.parametrize(("unit", "kept"), [("1/59000", "1/59000"), (0.01, "0.01"), ("0.01", "0.01"), (1, "1")])
def test_a_price_unit_is_a_number_or_a_fraction(unit, kept):
    assert described(price_unit=unit).price_unit == kept


@pytest.mark.parametrize("unit", ["0", "-1/2", "1/0", "cent", "", None, "nan", "inf", float("inf")])
def test_a_price_unit_is_positive(unit):
    with pytest.raises(ValidationError, match="is not a positive number or fraction"):
        described(price_unit=unit)


@pytest.mark.parametrize("pattern", ["(", "[a", "(?=x)y", "*"])
def test_patterns_are_regular_expressions_that_polars_knows(pattern):
    with pytest.raises(ValidationError, match="not a regular expression"):
        described(article_pattern=pattern)
    with pytest.raises(ValidationError, match="not a regular expression"):
        described(customer_pattern=pattern)


@pytest.mark.parametrize("pattern", ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%m/%d/%Y"])
def test_a_date_format_writes_a_whole_day(pattern):
    assert described(date_format=pattern).date_format == pattern


@pytest.mark.parametrize("pattern", ["%Y-%m", "today", "", "%d.%m."])
def test_a_date_format_that_does_not_write_a_whole_day_is_refused(pattern):
    with pytest.raises(ValidationError, match="does not write a full date"):
        described(date_format=pattern)


def test_a_time_zone_is_one_that_exists():
    assert described(time_zone="Europe/Stockholm").dates.zone == "Europe/Stockholm"
    with pytest.raises(ValidationError, match="'Europe/Stokholm' is not a time zone, as Europe/Stockholm is"):
        described(time_zone="Europe/Stokholm")


@pytest.mark.parametrize(("given", "kept"), [(";", ";"), ("\t", "\t"), ("\\t", "\t"), ("tab", "\t"), (None, None)])
def test_a_separator_is_one_character(given, kept):
    assert described(separator=given).separator == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"separator": ";;"}, "is not one ASCII character"),
        ({"separator": '"'}, "is not one ASCII character"),
        ({"separator": ""}, "is not one ASCII character"),
        ({"encoding": "utf-9"}, "'utf-9' is not an encoding that Python knows"),
        ({"decimal": ",", "thousands": ","}, "',' stands before the decimals already"),
    ],
)
def test_how_files_are_written_must_make_sense(given, why):
    with pytest.raises(ValidationError, match=why):
        described(**given)


@pytest.mark.parametrize("channels", [(), ("1", "1"), tuple(map(str, range(128)))])
def test_channels_must_differ_and_fit_into_an_int8(channels):
    with pytest.raises(ValidationError, match="must be 1 to 127 different names"):
        described(channels=channels)


def test_127_channels_are_allowed():
    assert len(described(channels=tuple(map(str, range(127)))).channels) == 127


def test_all_files_except_the_transactions_may_be_absent():
    assert Files(articles=None, customers=None).transactions == "transactions_train"
    with pytest.raises(ValidationError):
        Files(transactions=None)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_0_and_1(share):
    with pytest.raises(ValidationError):
        described(max_bad_rows=share)


def test_unknown_keys_and_values_are_refused():
    with pytest.raises(ValidationError, match="week_start"):
        described(week_start="monday")
    with pytest.raises(ValidationError, match="week_starts"):
        described(week_starts="Wed")
