"""Examples on disk: labelled candidates with all columns that describe them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hmgpu.parts.candidates import KEYS

LABEL = "label"
ROWS = 400_000  # worked on at once
EARLY = "hmgpu:early"
CODE = "_code"
"""How the names of category codes end: what a model looks up, and no number that is more or less than another."""


@dataclass(frozen=True)
class Examples:
    """Described candidates on disk: what a ranker is fitted on, one file a week and customer shard.

    A file holds (customer, article, `label` int8, columns that describe the candidate), sorted by customer and article.
    The rows of one customer and week are one query, and no query is split between files.
    """

    files: tuple[Path, ...]
    only_early: bool = False
    """Whether no other than the early columns are read (see `write`); where files don't say which, all are early."""
    latest: int | None = None
    """How many of the files, at the end, are of the last week; None: all of them."""
    lists: tuple[Path, ...] = ()
    """Files of the last week with every candidate of all who bought in it, as in serving; see `Ranker.needs_lists`."""

    @staticmethod
    def write(file: Path, table: pl.DataFrame, early: Sequence[str]) -> None:
        """Writes one file.

        Args:
            early: the columns that are known of all candidates, before it is chosen which of them get the others.
        """
        table.write_parquet(file, metadata={EARLY: json.dumps(early)})

    def tables(self, rows: int = ROWS) -> Iterator[pl.DataFrame]:
        """All examples in their order, about `rows` at once and no query split, so that memory is bounded by that."""
        for file in self.files:
            queries = pl.read_parquet(file, columns=["customer"])["customer"].rle().struct["len"].cast(pl.Int64)
            ends = queries.cum_sum()
            # A part ends with the query that reaches a multiple of `rows`.
            last = ends.gather((ends // rows).rle().struct["len"].cum_sum() - 1).to_list()
            for start, end in pairwise([0, *last]):
                part = pl.scan_parquet(file, glob=False).slice(start, end - start)
                yield (part.select(*KEYS, LABEL, *self._described()) if self.only_early else part).collect()

    def last_lists(self) -> "Examples":
        """Every candidate of the last week; none where the ranker doesn't need them."""
        return replace(self, files=self.lists, latest=None, lists=())

    def before_last_week(self) -> "Examples":
        """Those of all weeks but the last; none where there is one week."""
        return replace(self, files=() if self.latest is None else self.files[: -self.latest], latest=None, lists=())

    def with_purchases(self) -> Iterator[pl.DataFrame]:
        """`tables` without the customers none of whose candidates was bought: they teach no order."""
        told = (table.filter(pl.col(LABEL).max().over("customer") > 0) for table in self.tables())
        return (table for table in told if table.height)

    def customers_with_purchases(self) -> pl.DataFrame:
        """(customer) of those some of whose candidates were bought, each once."""
        files = (pl.read_parquet(file, columns=["customer", LABEL]) for file in self.files)
        return pl.concat(file.filter(pl.col(LABEL) > 0).select("customer") for file in files).unique().sort("customer")

    def features(self) -> list[str]:
        """Names of the columns that are numbers, in the order of the files."""
        return [name for name in self._described() if not name.endswith(CODE)]

    def codes(self) -> list[str]:
        """Names of the columns that are category codes (those of the family `encoded`), in the order of the files."""
        return [name for name in self._described() if name.endswith(CODE)]

    def _described(self) -> list[str]:
        described = [name for name in pl.read_parquet_schema(self.files[0]) if name not in (*KEYS, LABEL)]
        said = pl.read_parquet_metadata(self.files[0]).get(EARLY)
        return [name for name in described if name in json.loads(said)] if said and self.only_early else described


def numbers_of(table: pl.DataFrame, names: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """float32 (rows, names), NaN where missing, as XGBoost and networks take features."""
    return table.select(pl.col(name).cast(pl.Float32) for name in names).to_numpy(order="c")
