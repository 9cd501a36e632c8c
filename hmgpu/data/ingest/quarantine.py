"""Report rows that break the contract with place and reason, count them, and refuse a file with too many."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.remedies import remedy_of
from hmgpu.data.settings import DataSettings

REMEDIES = {
    "unknown article": "its articles must be in the articles file; for an appended week, in one next to it",
    "unknown customer": "its customers must be in the customers file; for an appended week, in one next to it",
    "malformed article id": "`data.article_pattern` describes the ids",
    "malformed customer id": "`data.customer_pattern` describes the ids",
    "unknown channel": "`data.channels` lists the channels that may occur",
    "bad date": "`data.date_format` describes how a day is written",
}


HOPELESS = 100_000  # bad rows; reporting fewer is quick, so reading goes on


class Quarantine:
    """The report of a raw file's bad rows: a CSV with the columns file, line, column, reason and text."""

    def __init__(self, raw: RawFile, path: Path) -> None:
        self.raw = raw
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.stopped = False
        self._first: dict[str, int] = {}

    @property
    def rows(self) -> int:
        return self.reasons.total()

    def add(self, bad: pl.DataFrame) -> None:
        """Add bad rows (schema BAD_SCHEMA) to the report."""
        if bad.is_empty():
            return
        bad = bad.sort("line", maintain_order=True)
        counts = bad.group_by("reason", maintain_order=True).agg(rows=pl.len(), line=pl.col("line").min())
        for reason, rows, line in counts.iter_rows():
            self.reasons[reason] += rows
            self._first.setdefault(reason, line)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        header = not self.path.exists()
        with self.path.open("ab") as file:
            bad.select(pl.lit(self.raw.path.name).alias("file"), pl.all()).write_csv(file, include_header=header)

    def is_hopeless(self, good: int, share_read: float, limit: float) -> bool:
        """Whether so many rows are bad that the rest of the file can't make up for it, so that reading can stop."""
        if self.rows < HOPELESS:
            return False
        expected = (good + self.rows) / max(share_read, 1e-9)
        self.stopped = self.rows > 4 * limit * expected  # 4: later rows may be shorter or compress better
        return self.stopped

    def judge(self, good: int, settings: DataSettings, rejected: Path) -> None:
        """Raise DataError if more rows are bad than `data.max_bad_rows` allows; the report then goes to `rejected`."""
        limit = settings.max_bad_rows
        total = good + self.rows
        if total == 0:
            raise DataError(f"{self.raw.path} has a header and no rows.")
        if self.rows <= limit * total and good:
            return
        reason, count = self.reasons.most_common(1)[0]
        found = remedy_of(reason, self.raw, settings) or REMEDIES.get(reason)
        remedy = f"; {found}" if found else ""
        read = f"{'first ' if self.stopped else ''}{total:,}"
        raise DataError(
            f"{self.rows:,} of the {read} {_rows(total)} of {self.raw.path} ({self.rows / total:.2%}) break the "
            f"contract and `data.max_bad_rows` allows {limit:.2%}, so nothing was changed: most common is '{reason}' "
            f"({count:,} {_rows(count)}, first {self.raw.path.name}:{self._first[reason]}){remedy}; they are listed in "
            f"{self._keep(rejected)}."
        )

    def _keep(self, rejected: Path) -> Path:
        """Move the report out of the data set's folder, which must stay as it was."""
        try:
            rejected.mkdir(parents=True, exist_ok=True)
            return Path(shutil.move(self.path, rejected / self.path.name))
        except OSError:  # the folder next to the data set may belong to someone else
            return Path(shutil.move(self.path, tempfile.mkdtemp(prefix="hmgpu-rejected-")))


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"
