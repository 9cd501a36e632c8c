"""The data set's files as what stands after `from` in DuckDB's SQL."""

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hmgpu.data.store import Store


@dataclass(frozen=True)
class Tables:
    """What was known before day `cutoff`: nothing is read until a query runs, and then only the columns it needs."""

    store: Store
    cutoff: int
    proposed: Sequence[str]
    """The columns of `pairs`, the candidates."""

    @property
    def present(self) -> frozenset[str]:
        """The columns that the retailer has."""
        return self.store.present

    def sales(self, days: int | None) -> str:
        """Return the sales of the last `days` days, None for all; their files are picked as the Store picks them."""
        since = 0 if days is None else self.cutoff - days
        files = self.store.week_files(since, self.cutoff - 1)
        return f"(from {parquet(files)} where day between {since} and {self.cutoff - 1})"

    @cached_property
    def articles(self) -> str:
        file = self.store.root / self.store.manifest.table("articles")
        return f"(from {parquet([file])} where first_day < {self.cutoff})"

    @cached_property
    def customers(self) -> str:
        return parquet([self.store.root / self.store.manifest.table("customers")])


def parquet(files: Iterable[Path]) -> str:
    """Return the call that reads `files`, whatever characters their paths have."""
    quoted = ", ".join("'{}'".format(glob.escape(str(file)).replace("'", "''")) for file in files)
    return f"read_parquet([{quoted}], hive_partitioning = false)"
