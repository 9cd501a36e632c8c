"""Raw files to a data set that every run starts from, and a week more onto one that is there."""

import hashlib
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

import polars as pl
from pydantic import JsonValue

import hmgpu
from hmgpu.data.absorb import Reader, Tables, absorb_entities, absorb_transactions, nothing, present
from hmgpu.data.manifest import NAME, DataFile, Manifest, Source
from hmgpu.data.rawfiles import RawFile, find, open_raw
from hmgpu.data.reading import Progress, raw_names
from hmgpu.data.settings import DataSettings, Weekday
from hmgpu.data.staging import publish, remove_strays, staged
from hmgpu.data.tables import TableName
from hmgpu.errors import DataError

log = logging.getLogger(__name__)

Sources = dict[TableName, RawFile]
EPOCH = date(1970, 1, 1)
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, and Monday is 0
ORDER = ["day", "customer", "article", "price", "channel"]


@dataclass(frozen=True)
class IngestSummary:
    """What an ingest did."""

    action: Literal["ingested", "appended", "already there"]
    rows: int
    """Transactions kept from the raw file (those of the whole data set where it was already there)."""
    bad_rows: dict[str, int]
    """Rows put in quarantine, by reason, over all files."""
    quarantine: tuple[Path, ...]
    """The reports that list them."""
    first_day: date
    """First day with a kept transaction."""
    last_day: date
    new_articles: int
    new_customers: int
    prices_rounded: int
    """Prices that were no whole number of `data.price_unit` and were rounded to one."""
    warnings: tuple[str, ...]
    seconds: float


def ingest(settings: DataSettings, *, replace: bool = False, progress: Progress | None = None) -> IngestSummary:
    """Build the data set in `settings.root` from the raw files in `settings.raw`.

    The same files and settings again: nothing is done. Others: DataError, unless `replace` is given, which builds the data
    set anew and swaps it in at the end. `progress` hears (bytes read, bytes in all). Raises DataError, with nothing
    changed, where a file or column is missing or more rows than `settings.max_bad_rows` break the contract.
    """
    started = time.perf_counter()
    root, warnings = settings.root, list[str]()
    if root.resolve() == settings.raw.resolve():
        raise DataError(f"`data.raw` and `data.root` are both {root}: the data set needs a folder of its own.")
    sources = find(settings.raw, settings, warnings)
    log.info("found %s, %.1f s", ", ".join(raw.path.name for raw in sources.values()), time.perf_counter() - started)
    with staged(root) as staging:
        if (root / NAME).exists() and not replace:
            there = Manifest.read(root)
            if _same(there, sources, settings):
                remove_strays(root, there)
                return _already(there, root, warnings, time.perf_counter() - started)
            raise DataError(
                f"{root} holds a data set of other files or settings: add to it with `hmgpu ingest --append`, choose another "
                "folder as `data.root`, or build it anew with `--replace`."
            )
        job = Job(settings, sources, staging, "", progress, warnings, started)
        return job.run(nothing(settings), None)


def append(settings: DataSettings, path: Path, *, progress: Progress | None = None) -> IngestSummary:
    """Add the transactions at `path` to the data set in `settings.root`.

    `path` is a transactions file, or a folder in the raw layout with transactions and optionally articles and customers: new
    ids get the next keys, known ones their new attributes. Days that overlap with those that are there, or leave a gap,
    are warned of. Raises DataError, with nothing changed, for a file that was absorbed before and as `ingest` does.
    """
    started = time.perf_counter()
    root, warnings = settings.root, list[str]()
    Manifest.read(root)  # before a folder is made for the lock
    if path.is_dir():
        sources = find(path, settings, warnings, week=True)
    elif path.exists():
        sources = {"transactions": open_raw("transactions", path)}
    else:
        raise DataError(f"There is no {path} to append.")
    with staged(root) as staging:
        there = Manifest.read(root)
        changed = [key for key, value in content_settings(settings).items() if there.settings.get(key) != value]
        if changed:
            raise DataError(
                f"{root} was ingested with another `data.{changed[0]}`: append with the settings of then, or build the data set "
                "anew with `hmgpu ingest --replace`."
            )
        raw = sources["transactions"]
        if raw.sha256 in {source.sha256 for source in there.sources}:
            raise DataError(f"{raw.path} is already in the data set in {root}, so it was not added again.")
        job = Job(settings, sources, staging, hashlib.sha256(there.to_bytes()).hexdigest(), progress, warnings, started)
        return job.run(_load(root, there), there)


def content_settings(settings: DataSettings) -> dict[str, JsonValue]:
    """The settings that decide what an ingested data set holds; the others may differ between two ingests."""
    return {
        "columns": {table: dict(raw_names(table, settings)) for table in get_args(TableName)},
        "files": {"articles": settings.files.articles is not None, "customers": settings.files.customers is not None},
        "article_pattern": settings.article_pattern,
        "customer_pattern": settings.customer_pattern,
        "date_format": settings.date_format,
        "price_unit": str(Fraction(settings.price_unit)),
        "channels": list(settings.channels),
        "week_starts": settings.week_starts,
    }


def week_of(day: pl.Expr, week_starts: Weekday) -> pl.Expr:
    """First day (Int32) of the week that holds `day` (Int32, days since 1970-01-01)."""
    return day - (day + EPOCH_WEEKDAY - get_args(Weekday).index(week_starts)) % 7


@dataclass
class Job:
    """One ingest under way: raw files onto the tables that are there, written aside and published at the end."""

    settings: DataSettings
    sources: Sources
    staging: Path
    parent: str  # sha256 of the manifest that is added to, or nothing
    progress: Progress | None
    warnings: list[str]
    started: float

    def run(self, tables: Tables, there: Manifest | None) -> IngestSummary:
        articles, customers = tables.articles.height, tables.customers.height
        reader = Reader(
            self.settings,
            self.staging / "quarantine",
            self.settings.root.with_name(f"{self.settings.root.name}.rejected"),
            self.identity,
            self._step(),
        )
        for table in ("articles", "customers"):
            if table in self.sources:
                absorb_entities(tables, self.sources[table], reader)
        absorb_transactions(tables, self.sources["transactions"], reader)
        days = tables.transactions.select(first=pl.col("day").min(), last=pl.col("day").max()).row(0)
        if there:
            self.warnings += _overlap_or_gap(there, *days)
        files = dict(self._write(tables))
        manifest = self._manifest(tables, reader, files, there, days)
        publish(self.staging, self.settings.root, manifest)
        reasons = sum((quarantine.reasons for quarantine in reader.done.values()), Counter[str]())
        return IngestSummary(
            action="appended" if there else "ingested",
            rows=tables.transactions.height,
            bad_rows=dict(reasons.most_common()),
            quarantine=tuple(
                self.settings.root / "quarantine" / part.path.name for part in reader.done.values() if part.rows
            ),
            first_day=EPOCH + timedelta(days[0]),
            last_day=EPOCH + timedelta(days[1]),
            new_articles=tables.articles.height - articles,
            new_customers=tables.customers.height - customers,
            prices_rounded=tables.prices_rounded,
            warnings=tuple(self.warnings),
            seconds=time.perf_counter() - self.started,
        )

    @property
    def identity(self) -> str:
        """Eight hex digits in the names of the files: others for other input, so that no file is ever overwritten."""
        raws = [(table, raw.path.name, raw.sha256) for table, raw in self.sources.items()]
        content = [hmgpu.__version__, self.parent, content_settings(self.settings), raws]
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
        """The Parquet files of what is new, in the staging folder."""
        began = time.perf_counter()
        files = []
        transactions = tables.transactions
        order = [name for name in ORDER if name in transactions.columns]
        weeks = transactions.select(week=week_of(pl.col("day"), self.settings.week_starts)).to_series()
        for week in weeks.unique().sort():
            part = transactions.filter(weeks == week).select(order).sort(order)
            folder = f"transactions/week={EPOCH + timedelta(week)}"
            files.append(self._parquet(part, f"{folder}/{self.sources['transactions'].name}-{self.identity}.parquet"))
        for name in ("articles", "customers", "codes"):
            files.append(self._parquet(getattr(tables, name), f"{name}-{self.identity}.parquet"))
        log.info("wrote %d files: %d rows, %.1f s", len(files), transactions.height, time.perf_counter() - began)
        return files

    def _parquet(self, frame: pl.DataFrame, name: str) -> tuple[str, DataFile]:
        path = self.staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path, compression="zstd", statistics=True, row_group_size=1 << 20)
        with path.open("rb") as file:
            return name, DataFile(sha256=hashlib.file_digest(file, "sha256").hexdigest(), rows=frame.height)

    def _manifest(
        self, tables: Tables, reader: Reader, files: dict[str, DataFile], there: Manifest | None, days: tuple[int, int]
    ) -> Manifest:
        sources = list(there.sources) if there else []
        for table, raw in self.sources.items():
            part = reader.done[table]
            first, last = days if table == "transactions" else (None, None)
            sources.append(
                Source(
                    table=table,
                    name=raw.path.name,
                    sha256=raw.sha256,
                    rows=reader.kept[table],
                    bad_rows=part.rows,
                    first_day=first,
                    last_day=last,
                    quarantine=f"quarantine/{part.path.name}" if part.rows else None,
                )
            )
        weeks = {name: file for name, file in there.files.items() if name.startswith("transactions/")} if there else {}
        images = self.settings.raw / "images"
        return Manifest(
            settings=content_settings(self.settings),
            present=present(self.settings),
            first_day=min(days[0], there.first_day) if there else days[0],
            last_day=max(days[1], there.last_day) if there else days[1],
            rows=tables.transactions.height + (there.rows if there else 0),
            articles=tables.articles.height,
            customers=tables.customers.height,
            images=os.path.relpath(images, self.settings.root) if images.is_dir() else there and there.images,
            files=weeks | files,
            sources=sources,
        )


def _load(root: Path, there: Manifest) -> Tables:
    there.verify(root)
    tables = {name: pl.read_parquet(root / there.table(name)) for name in ("articles", "customers", "codes")}
    return Tables(**tables)


def _same(there: Manifest, sources: Sources, settings: DataSettings) -> bool:
    """Whether the data set began with these files and settings; weeks appended since don't matter."""
    hashes = [(raw.table, raw.sha256) for raw in sources.values()]
    began = [(source.table, source.sha256) for source in there.sources[: len(hashes)]]
    return sorted(began) == sorted(hashes) and there.settings == content_settings(settings)


def _already(there: Manifest, root: Path, warnings: list[str], seconds: float) -> IngestSummary:
    return IngestSummary(
        action="already there",
        rows=there.rows,
        bad_rows={},
        quarantine=tuple(root / source.quarantine for source in there.sources if source.quarantine),
        first_day=EPOCH + timedelta(there.first_day),
        last_day=EPOCH + timedelta(there.last_day),
        new_articles=0,
        new_customers=0,
        prices_rounded=0,
        warnings=tuple(warnings),
        seconds=seconds,
    )


def _overlap_or_gap(there: Manifest, first: int, last: int) -> list[str]:
    """A sentence where the new days are not the ones right after, or before, those that are there."""

    def spell(a: int, b: int) -> str:
        return f"{EPOCH + timedelta(a)}..{EPOCH + timedelta(b)}"

    new, old = spell(first, last), spell(there.first_day, there.last_day)
    if first <= there.last_day and last >= there.first_day:
        shared = spell(max(first, there.first_day), min(last, there.last_day))
        return [
            f"The new rows ({new}) overlap with the days that were there ({old}): those of {shared} were added to them."
        ]
    if first > there.last_day + 1:
        return [f"The data has no rows for {spell(there.last_day + 1, first - 1)}."]
    if last < there.first_day - 1:
        return [f"The data has no rows for {spell(last + 1, there.first_day - 1)}."]
    return []
