"""Two ways to encode, with the same calls: hmgpu's workflows and pandas; and, alone, the plans that both run."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from hmgpu.benchmark.rivals.pandas_encoding import PandasEncoding, pandas_sessions
from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.models.encode.columns import PADDING, SIDES, Side, columns, listed
from hmgpu.parts.models.encode.rows import article_rows, customer_rows, fitting_rows, latest_rows
from hmgpu.parts.models.encode.sessions import sessions
from hmgpu.parts.models.encode.workflow import Encoders

import nvtabular as nvt  # isort: skip  (Merlin comes after its patches)

Tables = Mapping[Side, pl.DataFrame]
CPU = Engine("cpu", "what pandas runs on")


@dataclass(frozen=True)
class EncodingInputs:
    """The inputs of every way: the rows to fit on and the rows to encode, by the plans of `encode/rows.py`."""

    history: History
    days: int
    n: int
    """Articles in a session list."""
    folder: Path

    def new_folder(self) -> Path:
        """Return a new folder for what is fitted; fitting is measured more than once."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    @cached_property
    def fitted(self) -> Tables:
        return self.fitted_by(CPU)

    @cached_property
    def served(self) -> Tables:
        return self.served_by(CPU)

    @property
    def everyone(self) -> pl.LazyFrame:
        return self.history.customers.select("customer")

    def fitted_by(self, engine: Engine) -> Tables:
        """Return a row a purchase of the last `days` days for customers and articles, as in `Encoders.fit`."""
        return {side: engine.collect(plan) for side, plan in fitting_rows(self.history, self.days).items()}

    def served_by(self, engine: Engine) -> Tables:
        """Return a row a customer, and a row an article."""
        customers = engine.collect(customer_rows(self.history).sort("key"))
        return {
            "customer": customers,
            "context": customers,
            "article": engine.collect(article_rows(self.history).sort("key")),
        }

    def latest(self, engine: Engine) -> pl.DataFrame:
        """Return the articles that each customer bought last."""
        return engine.collect(latest_rows(self.history, self.everyone, self.n).sort("customer", "rank"))


class Workflows:
    """hmgpu's encoders, called as its pipeline calls them."""

    def __init__(self, inputs: EncodingInputs, engine: Engine) -> None:
        self.inputs, self.engine = inputs, engine
        self.name = f"NVTabular, {engine.name.upper()}"
        self.fit_all()
        self.articles = self.encoders.articles(inputs.history)

    def fit_all(self) -> None:
        self.encoders = Encoders.fit(self.inputs.history, self.inputs.days, self.engine, self.inputs.new_folder())

    def fit(self, sides: Sequence[Side]) -> None:
        for side in sides:
            rows = self.engine.frame(self.inputs.fitted[side])
            self.encoders.workflows[side].fit(nvt.Dataset(rows, cpu=self.engine.name == "cpu"))

    def encode(self, sides: Sequence[Side]) -> list[pl.DataFrame]:
        return [self.encoders.encode(side, self.inputs.served[side]) for side in sides]

    def sessions(self) -> list[pl.DataFrame]:
        return [sessions(self.inputs.history, self.inputs.everyone, self.articles, self.inputs.n, self.engine)]

    def encode_all(self) -> list[pl.DataFrame]:
        articles = self.encoders.articles(self.inputs.history)
        customers = self.encoders.customers(self.inputs.history, self.inputs.everyone, articles, self.inputs.n)
        return [articles, customers]


class PandasEncoders:
    """pandas in place of NVTabular; the rows come from the same plans."""

    name = "pandas"

    def __init__(self, inputs: EncodingInputs) -> None:
        self.inputs = inputs
        self.listed = [column.name for column in listed(inputs.history.present)]
        self.sides = {side: PandasEncoding(columns(side, inputs.history.present)) for side in SIDES}
        self.fit_all()
        self.articles = self.sides["article"].encode(inputs.served["article"])

    def fit_all(self) -> None:
        folder = self.inputs.new_folder()
        for side, rows in self.inputs.fitted_by(CPU).items():
            self.sides[side].fit(rows)
            self.sides[side].save(folder / side)

    def fit(self, sides: Sequence[Side]) -> None:
        for side in sides:
            self.sides[side].fit(self.inputs.fitted[side])

    def encode(self, sides: Sequence[Side]) -> list[pl.DataFrame]:
        return [self.sides[side].encode(self.inputs.served[side]) for side in sides]

    def sessions(self) -> list[pl.DataFrame]:
        return [pandas_sessions(self.inputs.latest(CPU), self.articles, self.listed)]

    def encode_all(self) -> list[pl.DataFrame]:
        rows = self.inputs.served_by(CPU)
        articles = self.sides["article"].encode(rows["article"])
        customers = self.sides["customer"].encode(rows["customer"])
        customers = customers.join(self.sides["context"].encode(rows["context"]), on="key")
        recent = pandas_sessions(self.inputs.latest(CPU), articles, self.listed)
        lists = [pl.col(name).fill_null([PADDING]) for name in recent.columns if name != "key"]
        return [articles, customers.join(recent, on="key", how="left").with_columns(lists)]


class PlansAlone:
    """Only the plans that both ways share, so that a reader can subtract their time."""

    name = "plans alone (in both)"

    def __init__(self, inputs: EncodingInputs) -> None:
        self.inputs = inputs

    def fit_all(self) -> None:
        self.inputs.fitted_by(CPU)

    def sessions(self) -> None:
        self.inputs.latest(CPU)

    def encode_all(self) -> None:
        self.inputs.served_by(CPU)
        self.inputs.latest(CPU)
