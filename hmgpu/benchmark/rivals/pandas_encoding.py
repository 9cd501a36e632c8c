"""Encoding with pandas alone: `value_counts` and `map` for codes, medians and moments for numbers, lists by `groupby`.

It computes the same columns as the workflows, for the benchmark to compare; encode/columns.py says what they mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from hmgpu.core.files import write_json
from hmgpu.parts.models.encode.columns import JUST_NOW, LATEST, RECENT, EncodedColumn

RARE, FIRST = 2, 3  # NVTabular's codes for a value that is unknown or too rare, and for the most frequent one


@dataclass
class PandasEncoding:
    """The codes, medians and moments that are learned for one side's columns."""

    chosen: Sequence[EncodedColumn]
    codes: dict[str, pd.Series] = field(default_factory=dict)
    group_means: dict[str, pd.Series] = field(default_factory=dict)
    medians: dict[str, float] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    stds: dict[str, float] = field(default_factory=dict)

    def fit(self, table: pl.DataFrame) -> "PandasEncoding":
        """Learn codes, medians and moments from `table`; return itself."""
        rows = table.to_pandas()
        for column in self.chosen:
            if column.encoding == "category":
                self.codes[column.name] = _codes(rows[column.name], column.least)
                continue
            if column.encoding == "ratio":
                value, group = column.needs
                self.group_means[column.name] = rows.groupby(group)[value].mean()
            values = self._values(column, rows)
            self.medians[column.name] = values.median()
            filled = self._filled(column, values)
            self.means[column.name], self.stds[column.name] = filled.mean(), filled.std()
        return self

    def save(self, folder: Path) -> None:
        """Write all that was learned into the new `folder`, as the workflows do: tables, and numbers in JSON."""
        folder.mkdir(parents=True)
        for name, learned in (self.codes | self.group_means).items():
            learned.to_frame(name).to_parquet(folder / f"{name}.parquet")
        numbers = {"medians": self.medians, "means": self.means, "stds": self.stds}
        write_json(
            folder / "numbers.json",
            {kind: {name: float(value) for name, value in each.items()} for kind, each in numbers.items()},
        )

    def encode(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return (key, the encoded columns): codes as int32, numbers as float32."""
        rows = table.to_pandas()
        encoded = {"key": rows["key"]}
        for column in self.chosen:
            name = column.name
            if column.encoding == "category":
                encoded[name] = rows[name].map(self.codes[name]).fillna(RARE).astype("int32")
            else:
                numbers = self._filled(column, self._values(column, rows)) - self.means[name]
                # Constant columns have no spread; a column with only missing values has no median either.
                numbers = numbers / self.stds[name] if self.stds[name] > 0 else numbers
                encoded[name] = numbers.fillna(0.0).astype("float32")
        return pl.from_pandas(pd.DataFrame(encoded))

    def _values(self, column: EncodedColumn, rows: pd.DataFrame) -> pd.Series:
        """The numbers of a column before encoding; a ratio is computed here."""
        if column.encoding != "ratio":
            return rows[column.name]
        value, group = column.needs
        mean = rows[group].map(self.group_means[column.name])
        return rows[value] / mean.where(mean > 0)

    def _filled(self, column: EncodedColumn, values: pd.Series) -> pd.Series:
        filled = values.fillna(self.medians[column.name])
        return np.log1p(filled) if column.encoding == "amount" else filled


def _codes(values: pd.Series, least: int) -> pd.Series:
    """The code of every value that occurs often enough: the most frequent first, ties by value."""
    counts = values.value_counts()
    kept = counts[counts >= least].sort_index().sort_values(ascending=False, kind="stable")
    return pd.Series(np.arange(FIRST, FIRST + len(kept)), index=kept.index)


def pandas_sessions(rows: pl.DataFrame, articles: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return (key, `recent_…` and `latest_…` lists) from (customer, rank, key) `rows`: merge codes, sort, group."""
    codes = articles.select("key", *names).to_pandas()
    merged = rows.to_pandas().merge(codes, on="key", how="left").sort_values(["customer", "rank"])
    lists: Any = merged.groupby("customer")[list(names)].agg(list)
    columns = {"key": lists.index}
    columns |= {f"{RECENT}{name}": lists[name].to_numpy() for name in names}
    columns |= {f"{LATEST}{name}": lists[name].str[:JUST_NOW].to_numpy() for name in names}
    table = pl.from_pandas(pd.DataFrame(columns))
    return table.with_columns(pl.col(pl.List(pl.Int64)).cast(pl.List(pl.Int32)))
