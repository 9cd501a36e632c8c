"""Examples on disk: labelled candidates with all the columns that describe them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hmgpu.core.errors import ConfigError
from hmgpu.core.parquet import read_table, scan_table, schema_of
from hmgpu.parts.candidates import KEYS

LABEL = "label"
ROWS = 400_000  # rows that are processed at once
EARLY = "hmgpu:early"
CODE = "_code"
"""How the names of category codes end: a model looks them up, and their order as numbers means nothing."""
PAST = "_past"
"""How the names end of columns about one of the customer's past articles: `<attribute>_<place>_past`."""


@dataclass(frozen=True)
class Examples:
    """Labelled candidates on disk that a ranker is fitted on, one file for each week and customer shard.

    A file holds (customer, article, `label` int8, columns that describe the candidate), sorted by customer and article.
    The rows of one customer and week are one query, and no query is split between files.
    """

    files: tuple[Path, ...]
    only_early: bool = False
    """Whether only the early columns are read (see `write`); in a file that doesn't list them, all columns count."""
    weeks: tuple[int, ...] | None = None
    """How many of the files each week has, oldest first; None: all are of one week."""
    lists: tuple[tuple[Path, ...], ...] = ()
    """The last weeks' files with all candidates of every customer who bought in them, a tuple for each week, oldest
    first; see `Ranker.needs_lists`."""

    @staticmethod
    def write(file: Path, table: pl.DataFrame, early: Sequence[str]) -> None:
        """Write one file.

        Args:
            early: the columns that are computed for all candidates, before a quick ranker chooses those that get the
                other columns.
        """
        table.write_parquet(file, metadata={EARLY: json.dumps(early)})

    def tables(self, rows: int = ROWS) -> Iterator[pl.DataFrame]:
        """Yield all examples in order, about `rows` at a time to bound memory, without splitting a query."""
        for file in self.files:
            queries = read_table(file, columns=["customer"])["customer"].rle().struct["len"].cast(pl.Int64)
            ends = queries.cum_sum()
            # A table ends with the query that reaches a multiple of `rows`.
            last = ends.gather((ends // rows).rle().struct["len"].cum_sum() - 1).to_list()
            for start, end in pairwise([0, *last]):
                table = scan_table(file).slice(start, end - start)
                yield (table.select(*KEYS, LABEL, *self._columns()) if self.only_early else table).collect()

    def rows(self) -> int:
        """Return the number of examples."""
        return sum(int(scan_table(file).select(pl.len()).collect().item()) for file in self.files)

    def last_lists(self) -> "Examples":
        """Return the examples with every candidate of the last week; empty if the ranker doesn't need them."""
        return replace(self, files=self.lists[-1] if self.lists else (), weeks=None, lists=())

    def before_last_week(self) -> "Examples":
        """Return the examples of all weeks except the last, with their lists; empty if there is only one week."""
        weeks = (self.weeks or ())[:-1]
        return replace(self, files=self.files[: sum(weeks)], weeks=weeks, lists=self.lists[:-1])

    def rewritten(self, folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "Examples":
        """Write what `change` makes of each of the `tables` into the new `folder`, and return these examples.

        Columns that were early still are, and so are new ones.
        """
        folder.mkdir(parents=True)
        late = {*self._late_columns()} if self.files else set[str]()
        files = []
        for number, table in enumerate(map(change, self.tables())):
            files.append(folder / f"{number:05}.parquet")
            Examples.write(files[-1], table, [name for name in table.columns if name not in late])
        return Examples(tuple(files), self.only_early)

    def of(self, customers: pl.DataFrame, folder: Path) -> "Examples":
        """Write examples and lists of `customers` (customer) into the new `folder`, and return them, week by week."""
        some = partial(_of, customers)
        return self.each_rewritten(folder, some).lists_rewritten(folder, some)

    def each_rewritten(self, folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "Examples":
        """Write what `change` makes of each of the `tables` into `folder`, and return that week by week; lists stay."""
        ends = [*accumulate(self.weeks or (len(self.files),), initial=0)]
        weeks = [
            replace(self, files=self.files[start:end]).rewritten(folder / f"examples-{number}", change).files
            for number, (start, end) in enumerate(pairwise(ends))
        ]
        files = tuple(file for week in weeks for file in week)
        return replace(self, files=files, weeks=tuple(map(len, weeks)))

    def lists_rewritten(self, folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "Examples":
        """Write what `change` makes of each table of the lists into `folder`, and return that; the examples stay."""
        lists = [
            Examples(files).rewritten(folder / f"lists-{week}", change).files for week, files in enumerate(self.lists)
        ]
        return replace(self, lists=tuple(lists))

    def with_purchases(self) -> Iterator[pl.DataFrame]:
        """Yield `tables` without the customers who bought no candidate: an order can't be learned from them."""
        filtered = (table.filter(pl.col(LABEL).max().over("customer") > 0) for table in self.tables())
        return (table for table in filtered if table.height)

    def require_purchases(self) -> None:
        """Raise ConfigError where no candidate was bought."""
        if next(self.with_purchases(), None) is None:
            raise ConfigError(
                "No candidate was bought in the training weeks: there is nothing to fit a ranker on; raise weeks.train."
            )

    def customers_with_purchases(self) -> pl.DataFrame:
        """Return (customer): those who bought at least one of their candidates, each once."""
        if not self.files:
            return pl.DataFrame(schema={"customer": pl.Int32})
        files = (read_table(file, columns=["customer", LABEL]) for file in self.files)
        return pl.concat(file.filter(pl.col(LABEL) > 0).select("customer") for file in files).unique().sort("customer")

    def features(self) -> list[str]:
        """Return the names of the columns that are numbers, in the order of the files."""
        return [name for name in self._columns() if not name.endswith((CODE, PAST))]

    def codes(self) -> list[str]:
        """Return the names of the category codes (columns of the family `encoded`), in the order of the files."""
        return [name for name in self._columns() if name.endswith(CODE)]

    def past(self) -> list[str]:
        """Return the names of the columns of the family `past_articles`, in the order of the files."""
        return [name for name in self._columns() if name.endswith(PAST)]

    def _columns(self) -> list[str]:
        """Return the names of the columns that describe candidates, as many of them as are read."""
        names = [name for name in schema_of(self.files[0]) if name not in (*KEYS, LABEL)]
        late = {*self._late_columns()} if self.only_early else set[str]()
        return [name for name in names if name not in late]

    def _late_columns(self) -> list[str]:
        """Return the names of the columns that are not early; none if the files don't say which are."""
        early = pl.read_parquet_metadata(self.files[0]).get(EARLY)
        names = schema_of(self.files[0])
        return [name for name in names if name not in json.loads(early)] if early else []


def _of(customers: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `customers` (customer), in their order."""
    return table.filter(pl.col("customer").is_in(customers["customer"].implode()))


def code_of(past: str) -> str:
    """Return the name of a candidate's code column with the attribute that the column `past` has of a past article."""
    return f"article_{past.rsplit('_', 2)[0]}{CODE}"


def numbers_of(table: pl.DataFrame, names: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return the columns `names` as a float32 matrix (rows, names), NaN where a value is missing."""
    found = table.select(pl.col(name).cast(pl.Float32) for name in names).to_numpy(order="c")
    return found.astype(np.float32, copy=False).reshape(table.height, len(names))  # Polars forgets rows without columns
