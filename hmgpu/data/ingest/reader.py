"""Read raw files block by block, check them against the contract, and quarantine bad rows."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.columns import wanted
from hmgpu.data.ingest.contract import Checked, Contract
from hmgpu.data.ingest.price_unit import fitting_unit
from hmgpu.data.ingest.quarantine import Quarantine
from hmgpu.data.ingest.rawfiles import RawFile
from hmgpu.data.ingest.reading import read
from hmgpu.data.ingest.where import rows_where
from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TableName

log = logging.getLogger(__name__)

SAMPLE = 5000  # prices that are looked at to find their unit


@dataclass
class Reader:
    """Reads raw files block by block, checks them against the contract, and quarantines bad rows."""

    settings: DataSettings
    there: Manifest | None
    """The manifest of the data set that is appended to."""
    quarantine: Path
    rejected: Path
    suffix: str
    step: Callable[[RawFile, int], None]
    done: dict[TableName, Quarantine] = field(default_factory=dict)
    kept: dict[TableName, int] = field(default_factory=dict)
    filtered: int = 0
    """Rows for which `data.where` is not true."""
    rounded: int = 0
    """Prices that were not a whole number of units."""
    beyond: int | None = None
    """First day of rows after `data.last_day`."""

    def raw_name(self, table: TableName, column: str) -> str:
        """Return what the file calls a column that is always read."""
        return next(each.raw for each in wanted(table, self.settings, self.there) if each.name == column)

    def blocks(self, raw: RawFile, more: Callable[[Checked], Checked]) -> Iterator[Checked]:
        """Yield the checked blocks of `raw`; `more` rejects further rows.

        Raises DataError if too many are bad, or too many prices would be rounded.
        """
        started, kept, position, filtered, rounded = time.perf_counter(), 0, 0, 0, 0

        def step(reached: int) -> None:
            nonlocal position
            position = reached
            self.step(raw, reached)

        settings, prices = self.settings, list[str]()
        quarantine = Quarantine(raw, self.quarantine / f"{raw.name}-{self.suffix}.csv")
        columns = wanted(raw.table, settings, self.there)
        for rows in read(raw, columns, settings, step):
            if settings.where and raw.table == "transactions":
                rows, fewer = rows_where(settings.where, rows, raw.path)
                filtered += fewer
            contract = Contract([column for column in columns if column.name in rows.frame.columns], settings)
            checked = contract.check(rows)
            rounded += checked.rounded
            if checked.rounded and len(prices) < SAMPLE:
                prices += rows.frame["price"].drop_nulls().unique(maintain_order=True).head(SAMPLE // 5).to_list()
            if checked.beyond is not None:
                self.beyond = min(checked.beyond, checked.beyond if self.beyond is None else self.beyond)
            checked = more(checked)
            quarantine.add(checked.bad)
            kept += checked.frame.height
            if quarantine.is_hopeless(kept, position / raw.size, settings):
                break
            yield checked
        if filtered and not kept + quarantine.rows:
            raise DataError(f"`data.where` ({settings.where}) is true for none of the {filtered:,} rows of {raw.path}.")
        quarantine.judge(kept, settings, self.rejected)
        if rounded > settings.max_rounded * kept:
            raise DataError(self._other_unit(raw, rounded, kept, prices))
        self.done[raw.table], self.kept[raw.table] = quarantine, kept
        self.filtered, self.rounded = self.filtered + filtered, self.rounded + rounded
        log.info(
            "read %s: %d rows, %d bad, %.1f s", raw.path.name, kept, quarantine.rows, time.perf_counter() - started
        )

    def _other_unit(self, raw: RawFile, rounded: int, kept: int, prices: list[str]) -> str:
        unit, given = fitting_unit(prices), self.settings.price_unit
        remedy = (
            f"set it to {unit}, which fits"
            if unit
            else "no unit fits, so set a small one, such as 0.001, and `data.max_rounded: 1` to round to it"
        )
        return (
            f"{rounded:,} of {kept:,} prices of {raw.path} ({rounded / kept:.2%}) are not whole multiples of "
            f"`data.price_unit`, which is {given}, and `data.max_rounded` allows {self.settings.max_rounded:.2%} to be "
            f"rounded, so nothing was changed: {remedy}."
        )
