"""The contract of the three tables."""

from collections import Counter

import polars as pl

from hmgpu.data.tables import DTYPES, TABLES, names

# The header lines of the public data set.
HM = {
    "transactions": "t_dat customer_id article_id price sales_channel_id",
    "articles": "article_id product_code prod_name product_type_no product_type_name product_group_name "
    "graphical_appearance_no graphical_appearance_name colour_group_code colour_group_name perceived_colour_value_id "
    "perceived_colour_value_name perceived_colour_master_id perceived_colour_master_name department_no department_name "
    "index_code index_name index_group_no index_group_name section_no section_name garment_group_no "
    "garment_group_name detail_desc",
    "customers": "customer_id FN Active club_member_status fashion_news_frequency age postal_code",
}


def test_every_column_of_hms_files_is_in_the_contract_once():
    assert {table: " ".join(column.raw for column in columns) for table, columns in TABLES.items()} == HM


def test_column_names_are_unique_over_all_tables_except_for_the_keys():
    # `History.present` is one set of names for all tables.
    counts = Counter(column.name for columns in TABLES.values() for column in columns)
    assert {name for name, times in counts.items() if times > 1} == {"article", "customer"}


def test_only_keys_and_the_day_are_required():
    required = {column.name for columns in TABLES.values() for column in columns if column.required}
    assert required == {"day", "customer", "article"}


def test_names_by_kind_come_in_the_order_of_the_contract():
    assert names("customers", ["flag", "age"]) == ["fn", "active", "age"]
    assert names("customers", iter(["code"])) == ["club", "news", "postal_code"]
    assert names("transactions", ["text"]) == []
    assert "product" in names("articles", ["code"])
    assert "name" not in names("articles", ["code"])


def test_all_columns_except_text_are_integers():
    assert {kind for kind, dtype in DTYPES.items() if not dtype.is_integer()} == {"text"}
    # 1.37 million customers and days to 2099 fit with room into 32 bits.
    assert DTYPES["key"] == DTYPES["day"] == pl.Int32
