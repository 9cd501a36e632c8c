"""Build a data set from raw files, and append further weeks to it."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from hmgpu.core.errors import DataError
from hmgpu.core.parquet import read_table
from hmgpu.data.ingest.absorb import Tables, empty_tables
from hmgpu.data.ingest.build import Build, Inspect, content_settings, place_of_images
from hmgpu.data.ingest.contract import LAST_DAY
from hmgpu.data.ingest.overlap import AbsorbedError
from hmgpu.data.ingest.rawfiles import RawFile, find, is_folder_of_parquet, open_raw
from hmgpu.data.ingest.reading import Progress
from hmgpu.data.ingest.staging import publish, remove_strays, staged
from hmgpu.data.ingest.summary import IngestSummary, absent
from hmgpu.data.manifest import NAME, Manifest
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TableName
from hmgpu.data.weeks import date_of, day_number

log = logging.getLogger(__name__)


Sources = dict[TableName, RawFile]


def ingest(settings: DataSettings, *, replace: bool = False, progress: Progress | None = None) -> IngestSummary:
    """Build the data set in `settings.root` from the raw files in `settings.raw`.

    If it was built from the same files and settings, nothing is done. If it was built from others, this raises
    DataError, or with `replace` builds the data set again and swaps it in at the end. `progress` is called with (bytes
    read, bytes in all). Raises DataError, with nothing changed, where a file or column is missing or more rows than
    `settings.max_bad_rows` allows break the contract.
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
                images = place_of_images(settings, there)
                if there.images != images:  # pictures may have come since, or the raw files moved
                    publish(staging, root, there.model_copy(update={"images": images}))
                remove_strays(root, there)
                return _already(there, root, warnings, time.perf_counter() - started)
            raise DataError(
                f"{root} holds a data set of other files or settings: add to it with `hmgpu ingest --append`, choose "
                "another folder as `data.root`, or replace it with `hmgpu ingest --replace`."
            )
        if (root / NAME).exists():
            warnings += _losses(root, sources)
        return Build(settings, sources, staging, None, progress, warnings, started).run(empty_tables())


def _losses(root: Path, sources: Mapping[TableName, RawFile]) -> list[str]:
    """Warnings about what replacing the data set drops: files that are not among `sources`, and vectors."""
    try:
        there = Manifest.read(root)
    except DataError:
        return []  # too damaged to read, which may be why it is replaced
    kept = {raw.sha256 for raw in sources.values()}
    lost = [source.name for source in there.sources if source.sha256 not in kept]
    files = [f"The data set that was replaced also held {', '.join(lost)}: append again what you need of them."]
    commands = " and ".join(f"`hmgpu vectors {of}`" for of in there.vectors)
    return (files if lost else []) + (
        [f"The data set that was replaced also held vectors of its articles: compute them again with {commands}."]
        if commands
        else []
    )


def append(
    settings: DataSettings, path: Path, *, progress: Progress | None = None, inspect: Inspect | None = None
) -> IngestSummary:
    """Add the transactions at `path` to the data set in `settings.root`.

    `path` is a transactions file, or a folder in the raw layout with transactions and optionally articles and
    customers: new ids get the next keys, known ids their new attributes. Days that the data set has with the same rows
    are left out, and counted; a gap causes a warning. Raises DataError, with nothing changed, as `ingest` does, and
    where a day is there with other rows, and AbsorbedError where every row is there. If `inspect` raises, nothing is
    changed either.
    """
    started = time.perf_counter()
    root, warnings = settings.root, list[str]()
    Manifest.read(root)  # raises before a folder is created for the lock
    if path.is_dir() and not is_folder_of_parquet(path):
        sources = find(path, settings, warnings, week=True)
    elif path.exists():
        sources = {"transactions": open_raw("transactions", path)}
    else:
        raise DataError(f"There is no {path} to append.")
    with staged(root) as staging:
        there = Manifest.read(root)
        changed = _changed(there, settings)
        if changed:
            raise DataError(
                f"{root} was ingested with another `data.{changed[0]}`: append with the original settings, or build "
                "the data set again with `hmgpu ingest --replace`."
            )
        raw = sources["transactions"]
        if raw.sha256 in {source.sha256 for source in there.sources}:
            raise AbsorbedError(f"{raw.path} is already in the data set in {root}, so it was not added again.")
        build = Build(settings, sources, staging, there, progress, warnings, started, inspect)
        return build.run(_load(root, there))


def _load(root: Path, there: Manifest) -> Tables:
    there.verify(root)
    articles, customers, codes = (read_table(root / there.table(name)) for name in ("articles", "customers", "codes"))
    return Tables(articles, customers, codes)


def _same(there: Manifest, sources: Sources, settings: DataSettings) -> bool:
    """Whether the data set was built from these files and settings; weeks appended since don't matter."""
    bought = next(source for source in there.sources if source.table == "transactions")
    last = day_number(settings.last_day) if settings.last_day else LAST_DAY
    if (bought.last_day or 0) > last or (bought.beyond or LAST_DAY + 1) <= last:
        return False  # another last day would keep other rows
    hashes = [(raw.table, raw.sha256) for raw in sources.values()]
    began = [(source.table, source.sha256) for source in there.sources[: len(hashes)]]
    return sorted(began) == sorted(hashes) and not _changed(there, settings)


def _changed(there: Manifest, settings: DataSettings) -> list[str]:
    """The settings that decide the contents and are not those of the data set; one that it lacks is unset there."""
    now = content_settings(settings)
    return [key for key in {**now, **there.settings} if there.settings.get(key) != now.get(key)]


def _already(there: Manifest, root: Path, warnings: list[str], seconds: float) -> IngestSummary:
    return IngestSummary(
        action="already there",
        rows=there.rows,
        bad_rows={},
        left_out={},
        absent=absent(there),
        quarantine=tuple(root / source.quarantine for source in there.sources if source.quarantine),
        first_day=date_of(there.first_day),
        last_day=date_of(there.last_day),
        new_articles=0,
        new_customers=0,
        prices_rounded=0,
        warnings=tuple(warnings),
        seconds=seconds,
    )
