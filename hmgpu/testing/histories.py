"""Histories made by hand: a few purchases, and what is known of their articles and customers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.data.tables import ARTICLES, CUSTOMERS, TABLES, Column

CUTOFF = 18_500
"""Today in these histories: a Wednesday in August 2020, in days since 1970-01-01."""
EVERY_COLUMN = frozenset(column.name for table in TABLES.values() for column in table)
"""Names of all columns of the contract."""

Purchase = tuple[int, int, int]
"""(days ago, customer, article)"""
Attributes = Mapping[int, Mapping[str, Any]]
"""By key what is known of an article or a customer."""


def make_history(
    bought: Iterable[Purchase],
    articles: Attributes | None = None,
    customers: Attributes | None = None,
    prices: Iterable[int] | None = None,
    channels: Iterable[int] | None = None,
    present: frozenset[str] = EVERY_COLUMN,
    vectors: Mapping[VectorsOf, Mapping[int, Sequence[float]]] | None = None,
    launched: Mapping[int, int] | None = None,
    pictures: Path | None = None,
) -> History:
    """A History from a few purchases; an article's id is its number in ten digits.

    Args:
        bought: (days ago, customer, article), one a unit.
        articles: attributes by key, as `{3: {"product": 7}}`; what is not given is null.
        customers: likewise; flags that are not given are 0.
        prices: in price units, one a purchase; 1000 where they are not given.
        channels: one a purchase; 0 where they are not given.
        present: names of the optional columns that the retailer is to have.
        vectors: of length 1, by what they are of and by article.
        launched: how many days ago an article was launched, by key; it is known even if nobody bought it.
        pictures: the folder of the articles' pictures, by their ids.
    """
    rows = list(bought)
    transactions = pl.DataFrame(
        {
            "day": [CUTOFF - ago for ago, _, _ in rows],
            "customer": [customer for _, customer, _ in rows],
            "article": [article for _, _, article in rows],
            "price": list(prices or [1000] * len(rows)),
            "channel": list(channels or [0] * len(rows)),
        },
        schema={"day": pl.Int32, "customer": pl.Int32, "article": pl.Int32, "price": pl.Int32, "channel": pl.Int8},
    )
    launches = {article: CUTOFF - ago for article, ago in (launched or {}).items()}
    appeared = pl.DataFrame(list(launches.items()), {"article": pl.Int32, "day": pl.Int32}, orient="row")
    appeared = pl.concat([appeared, transactions.select("article", "day")])
    first = appeared.group_by("article").agg(first_day=pl.col("day").min())
    catalogue = _table(ARTICLES, {a for _, _, a in rows} | set(articles or ()) | set(launches), articles or {})
    ids = catalogue.select(pl.col("article").cast(pl.String).str.zfill(10).alias("article_id"))
    people = _table(CUSTOMERS, {c for _, c, _ in rows} | set(customers or ()), customers or {})
    return History(
        cutoff=CUTOFF,
        transactions=transactions.lazy(),
        articles=catalogue.with_columns(ids["article_id"]).join(first, on="article").lazy(),
        customers=people.lazy(),
        present=present,
        vectors={of: vector_table(each).lazy() for of, each in (vectors or {}).items()},
        pictures=pictures,
    )


def vector_table(vectors: Mapping[int, Sequence[float]]) -> pl.DataFrame:
    """(article, `v…` int16) of vectors of length 1, as the Store hands them out."""
    columns = [f"v{place:03}" for place in range(len(next(iter(vectors.values()))))]
    rows = [[article, *(round(number * 2048) for number in vector)] for article, vector in vectors.items()]
    schema = {"article": pl.Int32} | dict.fromkeys(columns, pl.Int16)
    return pl.DataFrame(rows, schema=schema, orient="row").sort("article")


def _table(contract: Iterable[Column], keys: set[int], attributes: Attributes) -> pl.DataFrame:
    columns = list(contract)
    defaults = {column.name: 0 if column.kind == "flag" else None for column in columns}
    rows = [defaults | {columns[0].name: key} | dict(attributes.get(key, {})) for key in sorted(keys)]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in columns})
