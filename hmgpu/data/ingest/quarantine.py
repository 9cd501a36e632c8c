"""Report rows that break the contract with place and reason, count them, and refuse a file with too many."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.remedies import remedy_of
from hmgpu.data.reasons import OTHER, REASONS
from hmgpu.data.settings import DataSettings

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

    def is_hopeless(self, good: int, share_read: float, settings: DataSettings) -> bool:
        """Whether so many rows are bad that the rest of the file can't make up for it, so that reading can stop."""
        if self.rows < HOPELESS:
            return False
        expected = (good + self.rows) / max(share_read, 1e-9)
        # 4: later rows may be shorter or compress better
        self.stopped = any(count > 4 * allowed * expected for _, count, allowed in self._counts(settings))
        return self.stopped

    def judge(self, good: int, settings: DataSettings, rejected: Path) -> None:
        """Raise DataError if more rows are bad than `data.max_bad_rows` allows; the report then goes to `rejected`."""
        total = good + self.rows
        if total == 0:
            raise DataError(f"{self.raw.path} has a header and no rows.")
        counts = self._counts(settings)
        over = [each for each in counts if each[1] > each[2] * total] or ([] if good else counts)
        if not over:
            return
        reasons, count, allowed = over[0]
        reason, most = max(((each, self.reasons[each]) for each in reasons), key=lambda each: each[1])
        found = remedy_of(reason, self.raw, settings) or REASONS.get(reason)
        remedy = f"; {found}" if found else ""
        read = f"{'first ' if self.stopped else ''}{total:,}"
        for_it = (
            f" for '{reason}'" if isinstance(settings.max_bad_rows, dict) and reason in settings.max_bad_rows else ""
        )
        raise DataError(
            f"{count:,} of the {read} {_rows(total)} of {self.raw.path} ({count / total:.2%}) break the contract and "
            f"`data.max_bad_rows` allows {allowed:.2%}{for_it}, so nothing was changed: most common is '{reason}' "
            f"({most:,} {_rows(most)}, first {self.raw.path.name}:{self._first[reason]}){remedy}; they are listed in "
            f"{self._keep(rejected)}."
        )

    def _counts(self, settings: DataSettings) -> list[tuple[list[str], int, float]]:
        """Reasons that are allowed a share of the rows together, the number of their rows, and that share."""
        apart = settings.max_bad_rows if isinstance(settings.max_bad_rows, dict) else {}
        groups = [([reason], settings.bad_rows_allowed(reason)) for reason in self.reasons if reason in apart]
        groups.append(([reason for reason in self.reasons if reason not in apart], settings.bad_rows_allowed(OTHER)))
        return [(reasons, sum(self.reasons[each] for each in reasons), share) for reasons, share in groups if reasons]

    def _keep(self, rejected: Path) -> Path:
        """Move the report out of the data set's folder, which must stay as it was."""
        try:
            rejected.mkdir(parents=True, exist_ok=True)
            return Path(shutil.move(self.path, rejected / self.path.name))
        except OSError:  # the folder next to the data set may belong to someone else
            return Path(shutil.move(self.path, tempfile.mkdtemp(prefix="hmgpu-rejected-")))


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"
