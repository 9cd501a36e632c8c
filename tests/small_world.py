"""A small shop's valid raw files, and helpers to change and break them."""

import csv
import datetime
import hashlib
import io
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import ARTICLES, CUSTOMERS, TRANSACTIONS

Table = list[list[str]]
ARTICLE_RANGE, CUSTOMER_RANGE = range(1, 9), range(1, 7)  # the ids in the raw files of the fixture `make_shop`
FIRST = datetime.date(2020, 9, 7)


def article_id(number: int) -> str:
    """The raw id of article `number`."""
    return f"{number * 1001:010d}"


def customer_id(number: int) -> str:
    """The raw id of customer `number`."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def price(units: int) -> str:
    """A price as the raw file writes it."""
    return f"{units / 59000:.16f}"


def articles(numbers: range) -> Table:
    """The rows of an articles file, header included."""
    header = [column.raw for column in ARTICLES]
    rows = []
    for number in numbers:
        row = [article_id(number)]
        for column in ARTICLES[1:]:
            row.append(
                f"{column.name[:2]}{number % 3:02d}" if column.kind == "code" else f"{column.name} {number}, plain"
            )
        rows.append(row)
    return [header, *rows]


def customers(numbers: range) -> Table:
    """The rows of a customers file, header included."""
    rows = [
        [
            customer_id(n),
            "1.0" if n % 2 else "",
            "",
            "ACTIVE",
            "NONE",
            f"{20 + n % 80}.0" if n % 5 else "",
            customer_id(-n % 3),
        ]
        for n in numbers
    ]
    return [[column.raw for column in CUSTOMERS], *rows]


def transactions(count: int, articles: range, customers: range, first: datetime.date = FIRST, days: int = 14) -> Table:
    """The rows of a transactions file, header included: `count` random purchases, evenly over `days` days."""
    draw = random.Random(count)
    rows = [
        [
            str(first + datetime.timedelta(days=number * days // count)),
            customer_id(draw.choice(customers)),
            article_id(draw.choice(articles)),
            price(draw.randrange(1, 3000)),
            draw.choice("12"),
        ]
        for number in range(count)
    ]
    return [[column.raw for column in TRANSACTIONS], *rows]


def to_csv(table: Table) -> bytes:
    """The bytes of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue().encode()


@dataclass(frozen=True)
class SmallShop:
    """The folder of a shop's raw files, and that of the data set to be ingested from them."""

    raw: Path
    root: Path

    def settings(self, **given: Any) -> DataSettings:
        """Settings to ingest the raw files, which tolerate many bad rows."""
        return DataSettings.model_validate({"raw": self.raw, "root": self.root, "max_bad_rows": 0.5} | given)

    def file(self, table: str) -> Path:
        """The raw file of a table."""
        return self.raw / {"transactions": "transactions_train.csv"}.get(table, f"{table}.csv")

    def write(self, table: str, rows: Table) -> Path:
        """Write the raw file of a table; returns its path."""
        self.file(table).write_bytes(to_csv(rows))
        return self.file(table)

    def read(self, table: str) -> Table:
        """Read the raw file of a table, header included."""
        with self.file(table).open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def purchases(self) -> pl.DataFrame:
        """All ingested transactions with ids instead of keys, sorted."""
        return purchases(self.root)


def purchases(root: Path) -> pl.DataFrame:
    """All transactions of the data set in `root` with ids instead of keys, sorted."""
    manifest = Manifest.read(root)
    rows = pl.concat([pl.read_parquet(root / name) for name in manifest.files if name.startswith("transactions/")])
    for table, key in (("articles", "article"), ("customers", "customer")):
        rows = rows.join(pl.read_parquet(root / manifest.table(table)).select(key, f"{key}_id"), on=key, how="left")  # type: ignore[arg-type]
    rows = rows.drop("article", "customer")
    return rows.select(sorted(rows.columns)).sort(pl.all())


def tree(root: Path) -> dict[str, str]:
    """The sha256 of every file below `root` except the lock, by its path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
