"""The contract of the three tables: every column with its dtype, its unit and H&M's name for it.

Inside hmgpu a column has the first name below; `data.columns` in the config gives the name in the retailer's own file,
or `null` if the retailer has no such column.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from hmgpu.data.number_formats import NumberFormat

Kind = Literal["key", "day", "launch", "price", "quantity", "channel", "code", "flag", "age", "text"]
TableName = Literal["transactions", "articles", "customers"]

DTYPES: dict[Kind, type[pl.DataType]] = {
    "key": pl.Int32,  # dense, from 0, in the order of the mapping table; keys never change
    "day": pl.Int32,  # days since 1970-01-01, as cuDF has no date arithmetic
    "launch": pl.Int32,  # likewise; null where the file has no value
    "price": pl.Int32,  # multiples of `data.price_unit` (H&M: 1/59000), so that sums are exact
    "quantity": pl.Int32,  # units bought, negative for a return; the data set has a row a unit instead
    "channel": pl.Int8,  # position in `data.channels`
    "code": pl.Int32,  # dense, from 0, in the order of the `codes` table; null where the file has no value
    "flag": pl.Int8,  # 1, or 0 where the file has no value
    "age": pl.Int16,  # whole years; null where the file has no value
    "text": pl.String,
}

OLDEST = 120  # an age above this is a typing error, not a customer


@dataclass(frozen=True)
class Column:
    """A column: its name inside hmgpu, the kind of its values, and its name in H&M's file."""

    name: str
    kind: Kind
    raw: str
    required: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, which files may write with a decimal comma."""
        return self.kind in ("price", "quantity", "flag", "age")

    def plain(self, text: pl.Expr, numbers: NumberFormat) -> pl.Expr:
        """Return the column's numbers with a decimal point alone; `numbers` is how the retailer writes amounts.

        Flags and ages are small and whole: 60, 60.0 and 60,0 mean the same, in whichever file of the retailer's.
        """
        if self.kind in ("flag", "age"):
            return text.str.replace(",", ".", literal=True)
        return numbers.plain(text)

    @property
    def dtype(self) -> type[pl.DataType]:
        return DTYPES[self.kind]


TRANSACTIONS = (
    Column("day", "day", "t_dat", required=True),
    Column("customer", "key", "customer_id", required=True),
    Column("article", "key", "article_id", required=True),
    Column("price", "price", "price"),
    Column("channel", "channel", "sales_channel_id"),
)

QUANTITY = Column("quantity", "quantity", "")
"""Units of a row of the transactions; H&M's files have a row a unit instead."""
LAUNCHED = Column("launched", "launch", "")
"""The day from which an article is on offer, whether or not anybody has bought it; H&M's files don't say."""

# The articles and customers tables keep the retailer's id as text (`article_id`, `customer_id`) next to the dense key.
ARTICLES = (
    Column("article", "key", "article_id", required=True),
    Column("product", "code", "product_code"),
    Column("name", "text", "prod_name"),
    Column("product_type", "code", "product_type_no"),
    Column("product_type_name", "text", "product_type_name"),
    Column("product_group", "code", "product_group_name"),
    Column("appearance", "code", "graphical_appearance_no"),
    Column("appearance_name", "text", "graphical_appearance_name"),
    Column("colour", "code", "colour_group_code"),
    Column("colour_name", "text", "colour_group_name"),
    Column("perceived_colour", "code", "perceived_colour_value_id"),
    Column("perceived_colour_name", "text", "perceived_colour_value_name"),
    Column("colour_master", "code", "perceived_colour_master_id"),
    Column("colour_master_name", "text", "perceived_colour_master_name"),
    Column("department", "code", "department_no"),
    Column("department_name", "text", "department_name"),
    Column("index", "code", "index_code"),
    Column("index_name", "text", "index_name"),
    Column("index_group", "code", "index_group_no"),
    Column("index_group_name", "text", "index_group_name"),
    Column("section", "code", "section_no"),
    Column("section_name", "text", "section_name"),
    Column("garment_group", "code", "garment_group_no"),
    Column("garment_group_name", "text", "garment_group_name"),
    Column("description", "text", "detail_desc"),
)

CUSTOMERS = (
    Column("customer", "key", "customer_id", required=True),
    Column("fn", "flag", "FN"),
    Column("active", "flag", "Active"),
    Column("club", "code", "club_member_status"),
    Column("news", "code", "fashion_news_frequency"),
    Column("age", "age", "age"),
    Column("postal_code", "code", "postal_code"),
)

TABLES: dict[TableName, tuple[Column, ...]] = {
    "transactions": TRANSACTIONS,
    "articles": ARTICLES,
    "customers": CUSTOMERS,
}
IF_NAMED: dict[TableName, tuple[Column, ...]] = {"transactions": (QUANTITY,), "articles": (LAUNCHED,), "customers": ()}
"""Columns that H&M's files lack: they are read only where the config names them."""


def names(table: TableName, kinds: Iterable[Kind]) -> list[str]:
    """Return the names of the columns of `table` that have one of `kinds`, in the contract's order."""
    wanted = set(kinds)
    return [column.name for column in TABLES[table] if column.kind in wanted]
