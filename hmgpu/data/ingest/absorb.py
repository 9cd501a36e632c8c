"""Merge raw files into the tables of a data set, in memory; only the quarantine is written here."""

from collections import Counter
from dataclasses import dataclass, field

import polars as pl
import polars.selectors as cs

from hmgpu.core.errors import DataError
from hmgpu.core.words import counted
from hmgpu.data.ingest.columns import OF_ARTICLES
from hmgpu.data.ingest.contract import Checked
from hmgpu.data.ingest.descriptions import descriptions, earliest
from hmgpu.data.ingest.keys import CODES, Keys, encode, respelled
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.reader import Reader
from hmgpu.data.ingest.returns import NO_RETURNS, units
from hmgpu.data.tables import DTYPES, IF_NAMED, TABLES, TableName, names

KEYS: dict[TableName, str] = {"articles": "article", "customers": "customer"}


@dataclass
class Tables:
    """The tables of a data set in memory; of the transactions only the new ones.

    `articles` and `customers` have one row a key, in key order: the key, the id as text, the contract's columns, and
    for articles `first_day`, the day of the first sale.
    """

    articles: pl.DataFrame
    customers: pl.DataFrame
    codes: pl.DataFrame
    transactions: pl.DataFrame = field(default_factory=pl.DataFrame)
    returns: pl.DataFrame = field(default_factory=NO_RETURNS.clone)
    """New returns: day, customer, article, and units that came back."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows of the transactions that are fine and were not added, by reason; a returned unit is a row."""
    warnings: list[str] = field(default_factory=list)

    def present(self) -> dict[TableName, list[str]]:
        """Return the contract's columns that each table has; one without a file has only its key."""
        tables: dict[TableName, pl.DataFrame] = {
            "transactions": self.transactions, "articles": self.articles, "customers": self.customers
        }  # fmt: skip
        return {
            table: [column.name for column in (*TABLES[table], *IF_NAMED[table]) if column.name in frame.columns]
            for table, frame in tables.items()
        }


def empty_tables() -> Tables:
    """Return the tables of an empty data set, without the attributes that the first files bring."""

    def empty(key: str, **more: type[pl.DataType]) -> pl.DataFrame:
        return pl.DataFrame(schema={key: DTYPES["key"], f"{key}_id": pl.String, **more})

    return Tables(empty("article", first_day=DTYPES["day"]), empty("customer"), CODES.to_frame())


def absorb_entities(tables: Tables, raw: RawFile, reader: Reader) -> None:
    """Merge a file of articles or customers: new ids get the next keys, known ids their new attributes."""
    key = KEYS[raw.table]
    seen = Keys(pl.Series(dtype=pl.String))
    raw_id = reader.raw_name(raw.table, key)

    def first_of_each(checked: Checked) -> Checked:
        before = seen.total
        numbers = seen.of(checked.frame[key])
        again = (numbers < before) | ~numbers.is_first_distinct()
        return checked.reject([(pl.lit(again), raw_id, f"duplicate {key} id")])

    new = pl.concat([checked.frame for checked in reader.blocks(raw, first_of_each)])
    known: pl.DataFrame = getattr(tables, raw.table)
    keys = Keys(known[f"{key}_id"])
    numbers = keys.of(new[key])
    order, ids = keys.settle()
    new = new.with_columns(order.gather(numbers).alias(key), new[key].alias(f"{key}_id"))
    if raw.table == "articles":
        new = new.join(known.select(key, "first_day"), on=key, how="left")
    tables.warnings += _other_spellings(key, ids, known.height)
    merged = _merged(tables, raw.table, new)
    assert merged[f"{key}_id"].equals(ids)
    setattr(tables, raw.table, merged)


def _merged(tables: Tables, table: TableName, new: pl.DataFrame) -> pl.DataFrame:
    """Encode the codes of `new`, rows of `table` with key and id, and put them in place of those with the same key."""
    key = KEYS[table]
    known: pl.DataFrame = getattr(tables, table)
    coded = [name for name in names(table, ["code"]) if name in new.columns]
    new, tables.codes, said = encode(table, new, coded, tables.codes)
    tables.warnings += said
    columns = (*TABLES[table][1:], *IF_NAMED[table])
    order = [key, f"{key}_id", *(each.name for each in columns if each.name in new.columns)]
    order += ["first_day"] if table == "articles" else []
    kept = known.join(new, on=key, how="anti")
    return pl.concat([kept, new], how="diagonal").select(order).sort(key)


def _other_spellings(key: str, ids: pl.Series, known: int) -> list[str]:
    """A warning where new ids, those after the first `known`, write known ones in another way."""
    same = respelled(ids[known:], ids[:known])
    if same.is_empty():
        return []
    return [
        f"{counted(same.height, f'new {key} id')} may be known in another form, such as '{same['value'][0]}' for "
        f"'{same['was'][0]}': taken as new; `data.{key}_pattern` can refuse them."
    ]


def _describe(tables: Tables, given: pl.DataFrame) -> None:
    """Give articles the attributes that they have not yet; `given` is what `earliest` returns."""
    wide = given.pivot(on="column", index="article", values="value")
    known = tables.articles
    columns = [column for column in TABLES["articles"] if column.name in wide.columns and column.kind != "key"]
    lacking = [column for column in columns if column.name not in known.columns]
    known = known.with_columns(pl.lit(None, column.dtype).alias(column.name) for column in lacking)
    had = known.select(
        "article", *(pl.col(column.name).is_not_null().alias(f"had {column.name}") for column in columns)
    )
    new = wide.join(had, on="article", how="left").select(
        "article", *(pl.when(~pl.col(f"had {column.name}")).then(column.name).alias(column.name) for column in columns)
    )
    coded = [column.name for column in columns if column.kind == "code"]
    new, tables.codes, said = encode("articles", new, coded, tables.codes)
    tables.warnings += said
    order = [
        name for name in ("article", "article_id", *(each.name for each in TABLES["articles"][1:])) if name in known
    ]
    tables.articles = (
        known.join(new, on="article", how="left", suffix=" new", maintain_order="left")
        .with_columns(pl.coalesce(column.name, f"{column.name} new").alias(column.name) for column in columns)
        .select(*order, "first_day")
    )


def absorb_transactions(tables: Tables, raw: RawFile, reader: Reader) -> None:
    """Read the transactions and turn ids into keys; new ids get keys only where their table has no file of its own."""
    settings = reader.settings
    closed = {"article": settings.files.articles is not None, "customer": settings.files.customers is not None}
    keys = {"article": Keys(tables.articles["article_id"]), "customer": Keys(tables.customers["customer_id"])}

    def onto_keys(checked: Checked) -> Checked:
        """Check the closed tables first: a row with an unknown article must not add its customer."""
        for key in sorted(keys, key=lambda key: not closed[key]):
            checked = checked.with_columns(keys[key].of(checked.frame[key]).alias(key))
            if closed[key]:
                raw_id = reader.raw_name("transactions", key)
                checked = checked.reject([(pl.col(key) >= keys[key].known, raw_id, f"unknown {key}")])
        return checked

    blocks, returned, described = [], list[pl.DataFrame](), list[pl.DataFrame]()
    for checked in reader.blocks(raw, onto_keys):
        described += descriptions(checked.frame)
        bought, back = units(checked.frame.drop(cs.starts_with(OF_ARTICLES)))
        blocks.append(bought)
        returned += [back] if back.height else []
    transactions = pl.concat(blocks, rechunk=False)
    del blocks
    if transactions.is_empty():
        raise DataError(f"{raw.path} has returns and no purchase: put it together with the purchases of its days.")
    returns = pl.concat([NO_RETURNS, *returned])
    for table, key in KEYS.items():
        if not closed[key]:
            order, ids = keys[key].settle()
            transactions = transactions.with_columns(order.gather(transactions[key]).alias(key))
            returns = returns.with_columns(order.gather(returns[key]).alias(key))
            known: pl.DataFrame = getattr(tables, table)
            tables.warnings += _other_spellings(key, ids, known.height)
            new = pl.DataFrame({key: pl.int_range(len(ids), dtype=pl.Int32, eager=True), f"{key}_id": ids})
            setattr(tables, table, pl.concat([known, new[known.height :]], how="diagonal"))
            if described and key == "article":
                given = pl.concat(described)
                _describe(tables, earliest(given.with_columns(order.gather(given["article"]).alias("article"))))
    tables.transactions, tables.returns = transactions, returns
    sold = transactions.group_by("article").agg(sold=pl.col("day").min())
    tables.articles = (
        tables.articles.join(sold, on="article", how="left", maintain_order="left")
        .with_columns(first_day=pl.min_horizontal("first_day", "sold"))
        .drop("sold")
    )
