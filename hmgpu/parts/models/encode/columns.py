"""The table of encoded columns, which describe customers, articles and the moment to trained models.

Workflows, towers and rankers are built from this table; a new column is one line here and one expression in `rows.py`.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Side = Literal["customer", "article", "context"]
SIDES: tuple[Side, ...] = get_args(Side)
OF_CUSTOMERS: tuple[Side, ...] = ("customer", "context")  # a customer's row describes the moment too
Encoding = Literal["category", "number", "amount", "ratio"]


@dataclass(frozen=True)
class EncodedColumn:
    """One column of encoded rows."""

    name: str
    side: Side
    encoding: Encoding
    """category: a code; number: normalised, with the median for missing values; amount: a number after log(1 + x);
    ratio: a number that the workflow computes: the first column of `needs`, divided by its mean among rows with the
    same value of the second."""
    needs: tuple[str, ...] = ()
    """Optional columns of the data that it is computed from; left out if the retailer lacks one."""
    least: int = 0
    """category: the fewest purchases of a value with a code of its own; rarer values count as unknown."""
    listed: bool = False
    """article category: also listed for a customer's latest articles (`recent_<name>`) and the very last ones
    (`latest_<name>`)."""


def _attribute(name: str, listed: bool = False) -> EncodedColumn:
    return EncodedColumn(name, "article", "category", needs=(name,), listed=listed)


COLUMNS = (
    EncodedColumn("customer", "customer", "category", least=8),
    EncodedColumn("age", "customer", "number", needs=("age",)),
    EncodedColumn("club", "customer", "category", needs=("club",)),
    EncodedColumn("news", "customer", "category", needs=("news",)),
    EncodedColumn("fn", "customer", "category", needs=("fn",)),
    EncodedColumn("active", "customer", "category", needs=("active",)),
    EncodedColumn("postal_code", "customer", "category", needs=("postal_code",), least=50),
    EncodedColumn("price_level", "customer", "amount", needs=("price",)),
    EncodedColumn("first_channel", "customer", "number", needs=("channel",)),
    EncodedColumn("units", "customer", "amount"),
    EncodedColumn("days_since", "customer", "amount"),
    EncodedColumn("article", "article", "category", least=4, listed=True),
    EncodedColumn("product", "article", "category", needs=("product",), least=4, listed=True),
    _attribute("product_type", listed=True),
    _attribute("product_group"),
    _attribute("department", listed=True),
    _attribute("section"),
    _attribute("colour", listed=True),
    _attribute("perceived_colour"),
    _attribute("colour_master"),
    _attribute("appearance"),
    _attribute("garment_group"),
    _attribute("index"),
    _attribute("index_group"),
    EncodedColumn("price", "article", "amount", needs=("price",)),
    EncodedColumn("type_price", "article", "ratio", needs=("price", "product_type")),
    EncodedColumn("days_on_sale", "article", "amount"),
    EncodedColumn("sales_7", "article", "amount"),
    EncodedColumn("sales_28", "article", "amount"),
    EncodedColumn("week_of_year", "context", "category"),
    EncodedColumn("channel", "context", "category", needs=("channel",)),
)

RECENT, LATEST = "recent_", "latest_"
PADDING = 0  # NVTabular's code for nothing: in the lists of customers without purchases, and for keys without a row
RARE = 2  # NVTabular's code for values that were unknown or too rare when it was fitted; known ones have higher codes
JUST_NOW = 3  # articles in a `latest_` list; how many a `recent_` one has is a model's setting


def columns(side: Side, present: frozenset[str]) -> tuple[EncodedColumn, ...]:
    """Return the columns of `side` that can be computed if the data has the optional columns `present`."""
    return tuple(c for c in COLUMNS if c.side == side and present.issuperset(c.needs))


def listed(present: frozenset[str]) -> tuple[EncodedColumn, ...]:
    """Return the article columns that are also listed for a customer's latest articles."""
    return tuple(column for column in columns("article", present) if column.listed)
