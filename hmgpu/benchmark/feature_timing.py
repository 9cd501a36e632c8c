"""Four ways to compute features of candidates, with the same calls: families' plans, DuckDB, and pandas twice.

Each starts from the data set's files: it learns about articles from everybody's past and about the candidates'
customers from their own, then computes a row a candidate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from hmgpu.benchmark.engines import plans_on
from hmgpu.benchmark.learned import learned, with_engine
from hmgpu.benchmark.rivals import duckdb_features, pandas_features, pandas_notebook
from hmgpu.benchmark.rivals.duckdb_tables import Tables
from hmgpu.benchmark.rivals.pandas_tables import read, read_all
from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table, schema_of
from hmgpu.data.store import History, Store
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.feature import Feature
from hmgpu.pipeline.describe import with_columns
from hmgpu.pipeline.learn import cut_out


@dataclass(frozen=True)
class FeatureInputs:
    """The inputs of every way, small enough to send to another process; large tables are read when asked for."""

    root: Path
    """Folder of the data set."""
    cutoff: int
    families: Mapping[str, Feature]
    pairs: Path
    """File of the candidates (customer, article, the retrievers' scores and ranks), sorted by customer and article."""

    @cached_property
    def store(self) -> Store:
        return Store(self.root)


class Plans:
    """The families' own plans, executed as the pipeline does."""

    def __init__(self, inputs: FeatureInputs, engine: Engine) -> None:
        self.inputs, self.engine = inputs, engine
        self.name = plans_on(engine)

    @cached_property
    def pairs(self) -> pl.DataFrame:
        return read_table(self.inputs.pairs)

    @cached_property
    def customers(self) -> pl.DataFrame:
        return self.pairs.select("customer").unique().sort("customer")

    def one(self, family: str) -> pl.DataFrame:
        """Return (customer, article, the family's columns)."""
        history = self._history()
        columns = self._computed(family, history, history.of(self.customers))
        return with_columns(self.pairs.select(KEYS), {family: columns}, self.engine)

    def all(self) -> pl.DataFrame:
        """Return the candidates with every family's columns."""
        history = self._history()
        audience = cut_out(history.of(self.customers), self.engine)
        columns = {name: self._computed(name, history, audience) for name in self.inputs.families}
        return with_columns(self.pairs, columns, self.engine)

    def begin(self) -> None:
        """Load and start what the first plan would load and start."""
        self.engine.collect(pl.LazyFrame({"x": [1]}))

    def _history(self) -> History:
        return self.inputs.store.as_of(self.inputs.cutoff)

    def _computed(self, family: str, history: History, audience: History) -> pl.LazyFrame:
        part = self.inputs.families[family]
        known = learned(part, history, audience, self.engine)
        return with_engine(part, self.engine).compute(known, self.pairs.lazy())


class DuckDBFeatures:
    """The families in SQL: a query for each, and one query for all."""

    name = "DuckDB"

    def __init__(self, inputs: FeatureInputs) -> None:
        self.inputs = inputs

    @cached_property
    def connection(self) -> Any:
        return duckdb_features.connect(self.inputs.pairs)

    def one(self, family: str) -> pl.DataFrame:
        """Return (customer, article, the family's columns), in any order of rows."""
        return self._described([self.inputs.families[family]], KEYS)

    def all(self) -> pl.DataFrame:
        """Return the candidates with every family's columns, in any order of rows."""
        return self._described([*self.inputs.families.values()], self._proposed)

    def begin(self) -> None:
        """Load what the first query would load; the candidates are read by the work, as those of the others."""
        duckdb_features.begin()

    @property
    def _proposed(self) -> list[str]:
        return [*schema_of(self.inputs.pairs)]

    def _described(self, parts: list[Feature], kept: Sequence[str]) -> pl.DataFrame:
        tables = Tables(self.inputs.store, self.inputs.cutoff, self._proposed)
        described: pl.DataFrame = self.connection.sql(duckdb_features.query(parts, tables, kept)).pl()
        return described


class PandasFeatures:
    """The families with pandas, as notebooks write it: tables are read whole, and families are merged one by one."""

    name = "pandas"

    def __init__(self, inputs: FeatureInputs) -> None:
        self.inputs = inputs

    @cached_property
    def pairs(self) -> Any:
        return pd.read_parquet(self.inputs.pairs)

    def one(self, family: str) -> Any:
        described = self._merged([self.inputs.families[family]])
        proposed = self.pairs.columns.difference(KEYS)
        return described.drop(columns=proposed)

    def all(self) -> Any:
        return self._merged(list(self.inputs.families.values()))

    def begin(self) -> None:
        pd.DataFrame({"x": [1]}).to_parquet()  # pandas loads pyarrow's Parquet when it is used first

    def _merged(self, parts: list[Feature]) -> Any:
        known = read_all(self.inputs.store, self.inputs.cutoff)
        sales = known.sales.assign(age=self.inputs.cutoff - known.sales["day"])
        tables = pandas_notebook.NotebookTables(self.inputs.cutoff, sales, known.articles, known.customers)
        described = self.pairs
        for part in parts:
            described = pandas_notebook.merged(part, tables, described)
        return described


class TunedPandasFeatures(PandasFeatures):
    """The families with pandas, written with care.

    Only the needed columns and days are read, only the served customers' sales where these are enough, and families
    keep the candidates' order, so that none is merged.
    """

    name = "pandas, tuned"

    @cached_property
    def customers(self) -> Any:
        return self.pairs["customer"].unique()

    def one(self, family: str) -> Any:
        return self._joined(self.pairs[list(KEYS)], [self.inputs.families[family]])

    def all(self) -> Any:
        return self._joined(self.pairs, list(self.inputs.families.values()))

    def _joined(self, described: Any, parts: list[Feature]) -> Any:
        store = self.inputs.store
        needs = [pandas_features.needs(part, store.present) for part in parts]
        known = read(store, self.inputs.cutoff, self.customers, needs)
        columns = [pandas_features.columns(part, known, self.pairs) for part in parts]
        return pd.concat([described, *columns], axis=1)
