"""One build of a data set: merge raw files with its tables, write the files aside, publish them at the end."""

import hashlib
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import get_args

import polars as pl
from pydantic import JsonValue

from hmgpu.core.version import VERSION
from hmgpu.data.ingest.absorb import Tables, absorb_entities, absorb_transactions
from hmgpu.data.ingest.columns import named
from hmgpu.data.ingest.launches import launches_from_sales
from hmgpu.data.ingest.lone_days import lone_days
from hmgpu.data.ingest.marking import mark
from hmgpu.data.ingest.overlap import AbsorbedError, known_days
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.reader import Reader
from hmgpu.data.ingest.reading import Progress
from hmgpu.data.ingest.row_groups import write_customers, write_table, write_week
from hmgpu.data.ingest.staging import VECTORS, publish
from hmgpu.data.ingest.summary import IngestSummary, absent
from hmgpu.data.manifest import DataFile, Manifest, Source
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TableName
from hmgpu.data.weeks import Week, date_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrived:
    """New rows that passed the contract's checks, before they are added to the data set."""

    transactions: pl.DataFrame
    """(day, customer, article, price?, channel?)."""
    articles: pl.DataFrame
    """The whole catalogue, new articles included: article, first_day and other columns."""
    unknown: float
    """Share of the file's rows that were rejected because no table has their article or customer."""


Inspect = Callable[[Arrived], None]


def content_settings(settings: DataSettings) -> dict[str, JsonValue]:
    """Return the settings that determine the data set's contents; the others may differ between two ingests."""
    contents: dict[str, JsonValue] = {
        "columns": {table: dict(named(table, settings)) for table in get_args(TableName)},
        "files": {"articles": settings.files.articles is not None, "customers": settings.files.customers is not None},
        "article_pattern": settings.article_pattern,
        "customer_pattern": settings.customer_pattern,
        "date_format": settings.date_format,
        "time_zone": settings.time_zone,
        "decimal": settings.decimal,
        "thousands": settings.thousands,
        "separator": settings.separator,
        "encoding": settings.encoding,
        "price_unit": str(Fraction(settings.price_unit)),
        "currency": settings.currency,
        "channels": list(settings.channels),
        "week_starts": settings.week_starts,
    }
    # Only where they do something, so that data sets that are older than these settings stay valid.
    if settings.clean_ids:
        contents["clean_ids"] = list(settings.clean_ids)
    if settings.where:
        contents["where"] = settings.where
    if settings.counts_units:
        contents["returns"] = settings.returns
    return contents


@dataclass
class Build:
    """One build of a data set."""

    settings: DataSettings
    sources: dict[TableName, RawFile]
    staging: Path
    there: Manifest | None  # the manifest of the data set that is appended to
    progress: Progress | None
    warnings: list[str]
    started: float
    inspect: Inspect | None = None
    """Called with the new rows; if it raises, nothing is changed."""

    def run(self, tables: Tables) -> IngestSummary:
        """Merge the raw files into `tables`, write the files and publish them."""
        there = self.there
        articles, customers = tables.articles.height, tables.customers.height
        reader = Reader(
            self.settings,
            there,
            self.staging / "quarantine",
            self.settings.root.with_name(f"{self.settings.root.name}.rejected"),
            self.identity,
            self._step(),
        )
        for table in ("articles", "customers"):
            if table in self.sources:
                absorb_entities(tables, self.sources[table], reader)
        absorb_transactions(tables, self.sources["transactions"], reader)
        if there:
            self._leave_out_known_days(tables)
        if reader.filtered:
            tables.left_out["for which data.where is not true"] += reader.filtered
        days = tables.transactions.select(first=pl.col("day").min(), last=pl.col("day").max()).row(0)
        self.warnings += tables.warnings
        if there:
            self.warnings += _gap(there, *days)
        self.warnings += lone_days(tables.transactions["day"])
        self.warnings += launches_from_sales(tables.articles)
        if self.inspect:
            part = reader.done["transactions"]
            unknown = sum(part.reasons[f"unknown {key}"] for key in ("article", "customer"))
            total = reader.kept["transactions"] + part.rows
            self.inspect(Arrived(tables.transactions, tables.articles, unknown / total))
        changed = self._take_back(tables)
        files = changed | dict(self._write(tables))
        manifest = self._manifest(tables, reader, files, days)
        publish(self.staging, self.settings.root, manifest)
        reasons = sum((quarantine.reasons for quarantine in reader.done.values()), Counter[str]())
        return IngestSummary(
            action="appended" if there else "ingested",
            rows=tables.transactions.height,
            bad_rows=dict(reasons.most_common()),
            left_out={what: count for what, count in tables.left_out.items() if count},
            absent=absent(manifest),
            quarantine=tuple(
                self.settings.root / "quarantine" / part.path.name for part in reader.done.values() if part.rows
            ),
            first_day=date_of(days[0]),
            last_day=date_of(days[1]),
            new_articles=tables.articles.height - articles,
            new_customers=tables.customers.height - customers,
            prices_rounded=reader.rounded,
            warnings=tuple(self.warnings),
            seconds=time.perf_counter() - self.started,
        )

    def _leave_out_known_days(self, tables: Tables) -> None:
        """Leave out days that the data set has already."""
        assert self.there
        root, raw = self.settings.root, self.sources["transactions"]
        known = known_days(tables.transactions, root, self.there, raw.path)
        again = pl.col("day").is_in(known)
        bought, returns = tables.transactions.filter(again).height, tables.returns.filter(again).height
        if bought == tables.transactions.height:
            raise AbsorbedError(f"All days of {raw.path} are already in the data set in {root}, with the same rows.")
        if bought:
            tables.transactions, tables.returns = tables.transactions.filter(~again), tables.returns.filter(~again)
            tables.left_out["of days that are there already, with the same rows"] += bought + returns

    def _take_back(self, tables: Tables) -> dict[str, DataFile | None]:
        """Let returns take back purchases, or leave them out; returns the manifest's entries that change."""
        if not self.settings.counts_units:
            return {}
        if self.settings.returns == "cancel":
            return mark(tables, self.settings.root, self.there, self.identity, partial(write_week, self.staging))
        if tables.returns.height:
            tables.left_out["returns, as data.returns is drop"] += int(tables.returns["units"].sum())
        return {}

    @property
    def identity(self) -> str:
        """Eight hex digits in the names of files, which differ for other input, so that no file is ever overwritten."""
        raws = [(table, raw.path.name, raw.sha256) for table, raw in self.sources.items()]
        parent = hashlib.sha256(self.there.to_bytes()).hexdigest() if self.there else ""
        content = [VERSION, parent, content_settings(self.settings), raws]
        if self.settings.last_day:
            content.append(str(self.settings.last_day))
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]

    def _step(self) -> Callable[[RawFile, int], None]:
        total = sum(raw.size for raw in self.sources.values())
        done: dict[str, int] = {}

        def step(raw: RawFile, position: int) -> None:
            if self.progress:
                done[raw.table] = min(position, raw.size)
                self.progress(sum(done.values()), total)

        return step

    def _write(self, tables: Tables) -> list[tuple[str, DataFile]]:
        """Write the new Parquet files into the staging folder; returns their names and entries for the manifest."""
        began = time.perf_counter()
        files = []
        transactions = tables.transactions
        name = f"{self.sources['transactions'].name}-{self.identity}.parquet"
        days = transactions["day"].unique()
        for week in sorted({Week.containing(day, self.settings.week_starts) for day in days}):
            part = transactions.filter(pl.col("day").is_between(week.first_day, week.last_day))
            files.append(write_week(self.staging, part, f"transactions/week={week}/{name}"))
        for table in ("articles", "customers", "codes"):
            write = write_customers if table == "customers" else write_table
            files.append(write(self.staging, getattr(tables, table), f"{table}-{self.identity}.parquet"))
        log.info("wrote %d files: %d rows, %.1f s", len(files), transactions.height, time.perf_counter() - began)
        return files

    def _manifest(
        self, tables: Tables, reader: Reader, files: dict[str, DataFile | None], days: tuple[int, int]
    ) -> Manifest:
        there = self.there
        sources = list(there.sources) if there else []
        for table, raw in self.sources.items():
            part = reader.done[table]
            first, last = days if table == "transactions" else (None, None)
            sources.append(
                Source(
                    table=table,
                    name=raw.path.name,
                    sha256=raw.sha256,
                    rows=tables.transactions.height if table == "transactions" else reader.kept[table],
                    bad_rows=part.rows,
                    first_day=first,
                    last_day=last,
                    beyond=reader.beyond if table == "transactions" else None,
                    quarantine=f"quarantine/{part.path.name}" if part.rows else None,
                )
            )
        # Keys never change, so transactions and vectors stay valid; new articles have no vector yet.
        lasting = ("transactions/", f"{VECTORS}/")
        kept = {name: file for name, file in there.files.items() if name.startswith(lasting)} if there else {}
        return Manifest(
            settings=content_settings(self.settings),
            present=there.present if there else tables.present(),
            first_day=min(days[0], there.first_day) if there else days[0],
            last_day=max(days[1], there.last_day) if there else days[1],
            rows=tables.transactions.height + (there.rows if there else 0),
            articles=tables.articles.height,
            customers=tables.customers.height,
            images=place_of_images(self.settings, there),
            files={name: file for name, file in (kept | files).items() if file},
            sources=sources,
            vectors=there.vectors if there else {},
        )


def place_of_images(settings: DataSettings, there: Manifest | None) -> str:
    """Return the folder of the pictures, relative to the data set's, whether or not they have arrived yet."""
    images = settings.raw / "images"
    if there and there.images and not images.is_dir():
        return there.images
    return os.path.relpath(images, settings.root.resolve())  # if the root is a link, ".." is not its link's folder


def _gap(there: Manifest, first: int, last: int) -> list[str]:
    """A warning unless the new days follow, precede or fill up the days of the data set without a gap."""
    if first > there.last_day + 1:
        without = (there.last_day + 1, first - 1)
    elif last < there.first_day - 1:
        without = (last + 1, there.first_day - 1)
    else:
        return []
    return [f"The data has no rows for {date_of(without[0])}..{date_of(without[1])}."]
