"""What an ingest did: counts of rows by what became of them, days, absent columns and warnings."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hmgpu.core.words import counted
from hmgpu.data.manifest import Manifest
from hmgpu.data.tables import TABLES


@dataclass(frozen=True)
class IngestSummary:
    """The result of an ingest."""

    action: Literal["ingested", "appended", "already there"]
    rows: int
    """Transactions kept from the raw file; if the data set was already there, all its transactions."""
    bad_rows: dict[str, int]
    """Rows put in quarantine, by reason, over all files."""
    left_out: dict[str, int]
    """Rows that are fine and were not added, by reason; a returned unit is a row."""
    absent: tuple[str, ...]
    """The contract's columns that the data set lacks, as `table.column`."""
    quarantine: tuple[Path, ...]
    """The reports that list the bad rows."""
    first_day: datetime.date
    """First day with a kept transaction."""
    last_day: datetime.date
    new_articles: int
    new_customers: int
    prices_rounded: int
    """Prices that were not a whole multiple of `data.price_unit` and were rounded to one."""
    warnings: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        lines = [
            f"{self.action}: {self.rows:,} transactions from {self.first_day} to {self.last_day}, "
            f"{self.new_articles:,} new articles, {self.new_customers:,} new customers, {self.seconds:.1f} s"
        ]
        lines += [f"quarantined: {counted(count, 'row')}, {reason}" for reason, count in self.bad_rows.items()]
        lines += [f"left out: {counted(count, 'row')}, {why}" for why, count in self.left_out.items()]
        if self.absent:
            lines.append(f"absent: {', '.join(self.absent)}")
        lines += [f"quarantine report: {path}" for path in self.quarantine]
        if self.prices_rounded:
            lines.append(f"rounded: {self.prices_rounded:,} prices that were not a whole multiple of data.price_unit")
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])


def absent(manifest: Manifest) -> tuple[str, ...]:
    """Return the contract's columns that a data set lacks; of a table that it lacks, none."""
    files = {source.table for source in manifest.sources}
    return tuple(
        f"{table}.{column.name}"
        for table, columns in TABLES.items()
        if table == "transactions" or table in files
        for column in columns
        if column.name not in manifest.present[table]
    )
