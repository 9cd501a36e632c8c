"""The table of encoded columns agrees with the contract of the data."""

import pytest

from hmgpu.data.tables import TABLES
from hmgpu.parts.models.encode.columns import COLUMNS, SIDES, columns, listed

OPTIONAL = frozenset(c.name for table in TABLES.values() for c in table if not c.required)


def names(*args):
    return [column.name for column in columns(*args)]


def test_what_a_column_needs_is_an_optional_column_of_the_data():
    assert {need for column in COLUMNS for need in column.needs} <= OPTIONAL


def test_every_code_and_flag_of_the_data_is_encoded():
    by_kind = {column.kind: set() for table in TABLES.values() for column in table}
    for table in TABLES.values():
        for column in table:
            by_kind[column.kind].add(column.name)
    assert by_kind["code"] | by_kind["flag"] | by_kind["age"] <= {column.name for column in COLUMNS}


def test_names_are_those_of_one_column_each():
    """Customer and context columns lie in one row, and towers name embedding tables by column."""
    found = [column.name for column in COLUMNS]
    assert len(found) == len(set(found))
    assert "key" not in found


def test_all_listed_columns_are_codes_of_articles():
    assert {(column.side, column.encoding) for column in COLUMNS if column.listed} == {("article", "category")}


def test_a_ratio_is_of_a_number_and_a_code_of_its_own_side():
    for ratio in (column for column in COLUMNS if column.encoding == "ratio"):
        value, group = ratio.needs
        kinds = {column.name: column.encoding for column in columns(ratio.side, OPTIONAL)}
        assert kinds[value] in ("number", "amount")
        assert kinds[group] == "category"


@pytest.mark.parametrize("side", SIDES)
def test_with_all_columns_all_are_encoded(side):
    assert names(side, OPTIONAL) == [column.name for column in COLUMNS if column.side == side]


def test_a_bare_retailer_has_keys_and_sales():
    assert names("customer", frozenset()) == ["customer", "units", "days_since"]
    assert names("article", frozenset()) == ["article", "days_on_sale", "sales_7", "sales_28"]
    assert names("context", frozenset()) == ["week_of_year"]
    assert [column.name for column in listed(frozenset())] == ["article"]


def test_a_column_that_needs_two_is_left_out_where_one_is_absent():
    assert "type_price" in names("article", frozenset({"price", "product_type"}))
    assert "type_price" not in names("article", frozenset({"price"}))
    assert "type_price" not in names("article", frozenset({"product_type"}))
