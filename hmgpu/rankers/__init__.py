"""Rankers: they put a customer's candidates in order, one a file."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from hmgpu.engine import Engine
from hmgpu.parts import Part

KEYS = ("customer", "article")
LABEL = "label"
CODE = "_code"
"""How the names of category codes end: what a model looks up, and no number that is more or less than another."""


@dataclass(frozen=True)
class Examples:
    """Described candidates on disk: what a ranker is fitted on, one file a week and customer shard.

    A file holds (customer, article, `label` int8, columns that describe the candidate), sorted by customer and article.
    The rows of one customer and week are one query, and no query is split between files, so that memory is bounded by a
    file.
    """

    files: tuple[Path, ...]

    def tables(self) -> Iterator[pl.DataFrame]:
        """The files one by one, those without rows left out."""
        for file in self.files:
            table = pl.read_parquet(file)
            if table.height:
                yield table

    def told(self) -> Iterator[pl.DataFrame]:
        """The files without the customers none of whose candidates was bought: they teach no order."""
        told = (table.filter(pl.col(LABEL).max().over("customer") > 0) for table in self.tables())
        return (table for table in told if table.height)

    def features(self) -> list[str]:
        """Names of the columns that are numbers, in the order of the files."""
        return [name for name in self._described() if not name.endswith(CODE)]

    def codes(self) -> list[str]:
        """Names of the columns that are category codes (those of the family `encoded`), in the order of the files."""
        return [name for name in self._described() if name.endswith(CODE)]

    def _described(self) -> list[str]:
        return [name for name in pl.read_parquet_schema(self.files[0]) if name not in (*KEYS, LABEL)]


def numbers_of(table: pl.DataFrame, names: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """float32 (rows, names), NaN where missing, as XGBoost and networks take features."""
    return table.select(pl.col(name).cast(pl.Float32) for name in names).to_numpy(order="c")


class Model(Protocol):
    """A fitted ranker."""

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """float32, one a row of `examples` (any table with the columns it was fitted on); higher is better."""

    def save(self, folder: Path) -> None:
        """Writes the model's files into the existing `folder`; the same model gives the same bytes."""


class Ranker(Part):
    """Settings of a ranker."""

    @abstractmethod
    def fit(self, training: Examples, validation: Examples, engine: Engine, seed: int) -> Model:
        """A model fitted on `training`; `validation` only decides when to stop."""

    @abstractmethod
    def load(self, folder: Path, engine: Engine) -> Model:
        """The model that `save` wrote into `folder`."""
