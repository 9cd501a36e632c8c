"""Merge raw files into the tables of a data set, in memory; only the quarantine is written here."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from hmgpu.data.ingest.contract import Checked, Contract
from hmgpu.data.ingest.keys import CODES, Keys, encode
from hmgpu.data.ingest.quarantine import Quarantine
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.reading import raw_names, read
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import DTYPES, TABLES, TableName, names

log = logging.getLogger(__name__)

KEYS: dict[TableName, str] = {"articles": "article", "customers": "customer"}


@dataclass
class Tables:
    """The tables of a data set in memory; of the transactions only the new ones.

    `articles` and `customers` have one row a key, in key order: the key, the id as text, the contract's columns, and
    for articles `first_day`.
    """

    articles: pl.DataFrame
    customers: pl.DataFrame
    codes: pl.DataFrame
    transactions: pl.DataFrame = field(default_factory=pl.DataFrame)
    prices_rounded: int = 0


def present(settings: DataSettings) -> dict[TableName, list[str]]:
    """Return the contract's columns that each ingested table has; a table without a file has only its key."""
    declared = {table: list(raw_names(table, settings)) for table in TABLES}
    if settings.files.articles is None:
        declared["articles"] = ["article"]
    if settings.files.customers is None:
        declared["customers"] = ["customer"]
    return declared


def empty_tables(settings: DataSettings) -> Tables:
    """Return the tables of an empty data set."""

    def empty(table: TableName) -> pl.DataFrame:
        key = KEYS[table]
        dtypes = {column.name: column.dtype for column in TABLES[table]}
        schema: dict[str, type[pl.DataType]] = {key: dtypes[key], f"{key}_id": pl.String}
        schema |= {name: dtypes[name] for name in present(settings)[table] if name != key}
        return pl.DataFrame(schema=schema)

    return Tables(
        empty("articles").with_columns(first_day=pl.lit(None, DTYPES["day"])), empty("customers"), CODES.to_frame()
    )


@dataclass
class Reader:
    """Reads raw files block by block, checks them against the contract, and quarantines bad rows."""

    settings: DataSettings
    quarantine: Path
    rejected: Path
    suffix: str
    step: Callable[[RawFile, int], None]
    done: dict[TableName, Quarantine] = field(default_factory=dict)
    kept: dict[TableName, int] = field(default_factory=dict)

    def blocks(self, raw: RawFile, more: Callable[[Checked], Checked]) -> Iterator[Checked]:
        """Yield the checked blocks of `raw`; `more` rejects further rows. Raises DataError if too many are bad."""
        started, kept, position = time.perf_counter(), 0, 0

        def step(reached: int) -> None:
            nonlocal position
            position = reached
            self.step(raw, reached)

        quarantine = Quarantine(raw, self.quarantine / f"{raw.name}-{self.suffix}.csv")
        contract = Contract(raw.table, raw_names(raw.table, self.settings), self.settings)
        for rows in read(raw, self.settings, step):
            checked = more(contract.check(rows))
            quarantine.add(checked.bad)
            kept += checked.frame.height
            if quarantine.is_hopeless(kept, position / raw.size, self.settings.max_bad_rows):
                break
            yield checked
        quarantine.judge(kept, self.settings, self.rejected)
        self.done[raw.table], self.kept[raw.table] = quarantine, kept
        log.info(
            "read %s: %d rows, %d bad, %.1f s", raw.path.name, kept, quarantine.rows, time.perf_counter() - started
        )


def absorb_entities(tables: Tables, raw: RawFile, reader: Reader) -> None:
    """Merge a file of articles or customers: new ids get the next keys, known ids their new attributes."""
    key = KEYS[raw.table]
    seen = Keys(pl.Series(dtype=pl.String))
    raw_id = raw_names(raw.table, reader.settings)[key]

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
    coded = [name for name in names(raw.table, ["code"]) if name in new.columns]
    new, tables.codes = encode(new, coded, tables.codes)
    if raw.table == "articles":
        new = new.join(known.select(key, "first_day"), on=key, how="left")
    merged = pl.concat([known.join(new, on=key, how="anti"), new.select(known.columns)]).sort(key)
    assert merged[f"{key}_id"].equals(ids)
    setattr(tables, raw.table, merged)


def absorb_transactions(tables: Tables, raw: RawFile, reader: Reader) -> None:
    """Read the transactions and turn ids into keys; new ids get keys only where their table has no file of its own."""
    settings = reader.settings
    closed = {"article": settings.files.articles is not None, "customer": settings.files.customers is not None}
    keys = {"article": Keys(tables.articles["article_id"]), "customer": Keys(tables.customers["customer_id"])}
    raw_ids = raw_names("transactions", settings)

    def onto_keys(checked: Checked) -> Checked:
        """Check the closed tables first: a row with an unknown article must not add its customer."""
        for key in sorted(keys, key=lambda key: not closed[key]):
            checked = checked.with_columns(keys[key].of(checked.frame[key]).alias(key))
            if closed[key]:
                checked = checked.reject([(pl.col(key) >= keys[key].known, raw_ids[key], f"unknown {key}")])
        return checked

    blocks = []
    for checked in reader.blocks(raw, onto_keys):
        blocks.append(checked.frame)
        tables.prices_rounded += checked.rounded
    transactions = pl.concat(blocks, rechunk=False)
    del blocks
    for table, key in KEYS.items():
        if not closed[key]:
            order, ids = keys[key].settle()
            transactions = transactions.with_columns(order.gather(transactions[key]).alias(key))
            known: pl.DataFrame = getattr(tables, table)
            new = pl.DataFrame({key: pl.int_range(len(ids), dtype=pl.Int32, eager=True), f"{key}_id": ids})
            setattr(tables, table, pl.concat([known, new[known.height :]], how="diagonal"))
    tables.transactions = transactions
    sold = transactions.group_by("article").agg(sold=pl.col("day").min())
    tables.articles = (
        tables.articles.join(sold, on="article", how="left", maintain_order="left")
        .with_columns(first_day=pl.min_horizontal("first_day", "sold"))
        .drop("sold")
    )
