"""Retrain from end to end: check and add a week, train on it, judge the run, promote it or not, and notify."""

import datetime
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, DataError, RunError
from hmgpu.core.files import UNFINISHED, write_text
from hmgpu.core.parquet import read_table
from hmgpu.core.trackers import Entry, check_tracker, send
from hmgpu.data.ingest import append
from hmgpu.data.ingest.build import Arrived
from hmgpu.data.ingest.overlap import AbsorbedError
from hmgpu.data.ingest.reading import Progress
from hmgpu.data.manifest import Manifest
from hmgpu.data.open_store import open_store
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import METRICS, PRECISIONS, REPORT
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.tracking import run_entry, settings_told
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.retrain.arrival import RefusedError, check_arrived, check_last_week
from hmgpu.retrain.checks import Check
from hmgpu.retrain.judge import judge
from hmgpu.retrain.notify import notify
from hmgpu.retrain.opponent import REFITTED, opponent
from hmgpu.retrain.page import history_page
from hmgpu.retrain.record import RECORDS, Record, records
from hmgpu.runs.find import folders_of_runs
from hmgpu.runs.index import INDEX, write_index
from hmgpu.runs.inventory import prune
from hmgpu.runs.lock import exclusively
from hmgpu.runs.publish import PROMOTED, current, promote
from hmgpu.runs.seal import verify

log = logging.getLogger(__name__)

PAGE = "retrains.html"


def retrain(
    config: Config, week: Path | None, engine: Engine, workers: Workers = IN_PROCESS, progress: Progress | None = None
) -> Record:
    """Add `week` to the data set, train on it, and promote the run if it is good enough.

    Killed anywhere and started again, it goes on where it was; until the last moment the current run is the old one.

    Args:
        week: a transactions file, or a folder that also has articles and customers; None takes the data set as it is.

    Raises BusyError where another retrain is running, ConfigError where the config names a validation week, and
    DataError where there is no data set or no `week`: nothing is written then, and there is no record.
    """
    if config.weeks.validation:
        raise ConfigError("weeks.validation names a week, but a retrain judges the last one: set it to null.")
    check_tracker(config.tracking)  # before anything is changed
    Manifest.read(config.data.root)
    if week and not week.exists():
        raise DataError(f"There is no {week} to append.")
    with exclusively(config.runs, create=True), _recorded(config, week, engine) as record:
        _clear_drafts(config.runs)
        _retrain(config, week, engine, workers, progress, record)
    return record


@contextmanager
def _recorded(config: Config, week: Path | None, engine: Engine) -> Iterator[Record]:
    """Yield a record that is written, shown on the page and sent to receivers, however the retrain ends."""
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    record, clock = Record(started, appended=week.name if week else None), time.monotonic()
    try:
        yield record
    except SystemExit as error:  # what SIGTERM becomes
        record.reason = f"stopped from outside (exit status {error.code})"
        raise
    except BaseException as error:
        record.reason = str(error) or type(error).__name__
        raise
    finally:
        # The wall clock may jump; the monotonic one does not.
        record.seconds = round(time.monotonic() - clock, 1)
        try:
            record.write(config.runs)
            reported = {folder.name for folder in folders_of_runs(config.runs) if (folder / REPORT).exists()}
            write_text(config.runs / PAGE, history_page(records(config.runs), reported))
        except Exception as error:  # a record that can't be written, or is damaged, must not hide how it ended
            log.warning("the record of the retrain could not be written: %s", error)
        write_index(config.runs)
        send(config.tracking, lambda: _told(config, record, engine))
        notify(config.retrain.notify, record)


def _retrain(
    config: Config, week: Path | None, engine: Engine, workers: Workers, progress: Progress | None, record: Record
) -> None:
    settings, runs = config.retrain, config.runs
    now = _trusted(runs)
    record.before = now.name if now else None
    open_store(config.data).verify()  # what is wrong with the data set or the settings is not the new week's fault
    try:
        record.checks = [check.record() for check in _add_week(config, week, engine, progress)]
    except DataError as error:
        record.outcome, record.reason = "refused", str(error)
        record.checks = [check.record() for check in error.checks] if isinstance(error, RefusedError) else []
        return
    store = Store(config.data.root)
    record.last_day = str(date_of(store.last_day))
    pipeline = open_pipeline(config, engine, workers, others=[now] if now else [])
    record.run = pipeline.run.folder.name
    if now == pipeline.run.folder.resolve():
        record.outcome, record.reason = "unchanged", f"{record.run} is the current run already: there are no new data"
    else:
        _judged(pipeline, now, store, record)
    shutil.rmtree(runs / REFITTED, ignore_errors=True)
    # Also without new data: the retrain that promoted the current run may have been killed before this.
    for gone in prune(runs, settings.keep):
        log.info("removed the old run %s", gone.name)


def _judged(pipeline: Pipeline, now: Path | None, store: Store, record: Record) -> None:
    """Finish the run of `pipeline`, compare it with `now`, the current one, and promote it if it is good enough."""
    with pipeline.working():
        pipeline.finish()
    rows = read_table((pipeline.run.folder / "metrics.json").resolve().with_name(PRECISIONS))
    against, without = None, "no current run to compare with"
    if now:
        try:
            against = opponent(now, pipeline, rows)
        except RunError as error:
            without = f"not compared with the current run, which has seen the week: {error}"
            log.warning("%s", without)
    week, settings = pipeline.weeks.validation, pipeline.config
    verdict = judge(rows, against, week, store, settings.retrain.tolerance, pipeline.engine, settings.lists.k, without)
    record.figures, record.reason = verdict.figures, verdict.reason
    if verdict.promote:
        promote(pipeline.run.folder)
    record.outcome = "promoted" if verdict.promote else "kept"


def _add_week(config: Config, week: Path | None, engine: Engine, progress: Progress | None) -> list[Check]:
    """Check the new week, add it to the data set and return the checks; without a week, check the data's last one."""
    limits = config.retrain.limits
    if week:
        store = Store(config.data.root)
        checked = list[Check]()

        def inspect(arrived: Arrived) -> None:
            checked.extend(check_arrived(store, arrived, limits, engine))

        try:
            summary = append(config.data, week, progress=progress, inspect=inspect)
        except AbsorbedError as error:  # added by an earlier retrain that was killed afterwards
            log.info("%s", error)
        else:
            log.info("%s", summary)
            left_out = summary.left_out.items()
            return checked + [Check(f"rows left out, {why}", rows, None, "none", True) for why, rows in left_out]
    return check_last_week(Store(config.data.root), limits, engine)


def _told(config: Config, record: Record, engine: Engine) -> Entry:
    """Return what a tracker is told of a retrain: of its run all that there is, and how it was judged."""
    tags = {"verb": "retrain", "outcome": record.outcome}
    metrics = config.runs / record.run / METRICS if record.run else None
    if metrics is None or not metrics.exists():
        return Entry(record.run or record.started, tags, settings_told(config.settings()), record.figures)
    entry = run_entry(config, open_store(config.data), engine, metrics.parent, metrics, tags)
    return replace(entry, figures={**entry.figures, "judged": record.figures})


def _clear_drafts(runs: Path) -> None:
    """Remove the files that a killed retrain was writing; `prune` and `Run.locked` remove what else it left behind."""
    for draft in (
        runs / f"{UNFINISHED}{PAGE}",
        runs / f"{UNFINISHED}{INDEX}",
        runs / f"{UNFINISHED}{PROMOTED}",
        *(runs / RECORDS).glob(f"{UNFINISHED}*"),
    ):
        draft.unlink(missing_ok=True)


def _trusted(runs: Path) -> Path | None:
    """Return the current run; None where there is none or it was changed since, so that nothing is compared with it."""
    try:
        now = current(runs)
        if now:
            verify(now)
        return now
    except RunError as error:
        log.warning("the current run can't be compared with: %s", error)
        return None
