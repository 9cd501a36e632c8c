"""NVTabular workflows that encode raw rows for trained models, fitted once at the oldest training cutoff.

Each side (customer, article, context) is one workflow, built from the table in `columns.py`. NVTabular's codes are 0
for padding, 1 for a missing value, 2 for a value that was unknown or too rare when the workflow was fitted, and 3
onwards for the known values, the most frequent first. A workflow is never fitted again: a new article or customer gets
the unknown code, so that models trained on the codes keep working.
"""

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError, RunError, reason
from hmgpu.core.plain_paths import plain_path
from hmgpu.data.store import History
from hmgpu.parts.models.encode import merlin
from hmgpu.parts.models.encode.columns import LATEST, PADDING, RECENT, SIDES, EncodedColumn, Side, columns, listed
from hmgpu.parts.models.encode.rows import article_rows, customer_rows, fitting_rows
from hmgpu.parts.models.encode.sessions import sessions

import nvtabular as nvt  # isort: skip  (Merlin comes after its patches)
from merlin.io.worker import clean_worker_cache  # isort: skip
from merlin.schema import ColumnSchema, Schema, Tags  # isort: skip
from nvtabular import ops  # isort: skip

FACTS = "encoders.json"
AT_ONCE = 1_000_000  # rows that one worker fits on at once
FITTING = "fitting"  # folder of the operators' tables until the workflow is saved with copies of its own


@dataclass(frozen=True)
class Encoders:
    """The fitted workflows of all sides, and the engine that they run on."""

    workflows: Mapping[Side, nvt.Workflow]
    present: frozenset[str]
    engine: Engine

    @staticmethod
    def fit(history: History, days: int, engine: Engine, folder: Path, client: Any = None) -> "Encoders":
        """Fit all workflows and save them in `folder`.

        They are fitted on the purchases of the last `days` days before the cutoff, each with what is known about its
        customer and article at the cutoff: so frequent values get codes, and numbers are normalised over the rows that
        models will see. The context's codes are fitted on the whole past, since a few months don't have all weeks of a
        year.

        Args:
            history: what was known before the cutoff.
            days: days before the cutoff whose purchases count.
            engine: where to compute, on the CPU or the GPU.
            folder: where the workflows are saved.
            client: a Dask client whose workers share the work; without one, the files have the same bytes.

        Raises DataError if nothing was bought in those days.
        """
        merlin.check_engine(engine)
        workflows: dict[Side, nvt.Workflow] = {}
        (folder / FITTING).mkdir(parents=True)
        for side, plan in fitting_rows(history, days).items():
            rows = engine.collect(plan)
            if rows.is_empty():
                raise DataError(
                    f"encode: nothing was bought in the {days} days before the oldest training week; raise encode.days."
                )
            # Dask replaces an asterisk by a number in whatever it writes.
            with plain_path(folder / FITTING, lambda path: "*" not in path) as path:
                workflow = nvt.Workflow(_graph(columns(side, history.present), path))
                # The same number of parts with a client as without: the last bits of means and deviations depend on it.
                parts = math.ceil(rows.height / AT_ONCE)
                with merlin.through(client):
                    workflow.fit(nvt.Dataset(engine.frame(rows), npartitions=parts, cpu=engine.name == "cpu"))
                merlin.save(workflow, folder / side)
            workflows[side] = workflow
        shutil.rmtree(folder / FITTING)
        (folder / FACTS).write_text(json.dumps({"present": sorted(history.present)}))
        return Encoders(workflows, history.present, engine)

    @staticmethod
    def load(folder: Path, engine: Engine) -> "Encoders":
        """Load the workflows that `fit` saved in `folder`.

        Raises RunError where one can't be read, or is a pickle, as older versions wrote.
        """
        merlin.check_engine(engine)
        try:
            present = frozenset(json.loads((folder / FACTS).read_text(encoding="utf-8"))["present"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise RunError(f"{folder / FACTS} can't be read ({reason(error)}): {merlin.AGAIN}.") from None
        graphs = {side: _graph(columns(side, present), folder / side) for side in SIDES}
        return Encoders({side: merlin.load(graphs[side], folder / side) for side in SIDES}, present, engine)

    def articles(self, history: History) -> pl.DataFrame:
        """Return (key int32, encoded article columns), one row for each article sold before, sorted by key."""
        return self.encode("article", self.engine.collect(article_rows(history).sort("key")))

    def customers(self, history: History, customers: pl.LazyFrame, articles: pl.DataFrame, n: int) -> pl.DataFrame:
        """Encode `customers`: (key int32, customer and context columns, lists of latest articles), sorted by key.

        Args:
            history: with these customers' purchases.
            customers: (customer) to encode, each once.
            articles: the table that `articles` returned for the same history.
            n: articles in each `recent_…` list, the newest first; `latest_…` lists have the first few of them. The
                lists of a customer without purchases have one padding code.
        """
        encoded = self.profiles(history, customers)
        recent = self.sessions(history, customers, articles, n)
        lists = [pl.col(name).fill_null([PADDING]) for name in recent.columns if name != "key"]
        return encoded.join(recent, on="key", how="left").with_columns(lists).sort("key")

    def sessions(self, history: History, customers: pl.LazyFrame, articles: pl.DataFrame, n: int) -> pl.DataFrame:
        """Return (key int32, lists of latest articles) of those `customers` who bought anything; see `customers`."""
        return sessions(history, customers, articles, n, self.engine)

    def profiles(self, history: History, customers: pl.LazyFrame) -> pl.DataFrame:
        """Encode `customers` without the lists: (key int32, customer and context columns), sorted by key."""
        rows = self.engine.collect(
            customer_rows(history).join(customers, left_on="key", right_on="customer", how="semi").sort("key")
        )
        return self.encode("customer", rows).join(self.encode("context", rows), on="key").sort("key")

    def encode(self, side: Side, rows: pl.DataFrame) -> pl.DataFrame:
        """Encode `rows` with the workflow of `side`; columns of other sides are dropped.

        Raises DataError if a column is missing or has another type than when the workflow was fitted.
        """
        workflow = self.workflows[side]
        check_schema(side, workflow.input_schema, rows)
        codes = [(c.name, pl.Int32 if c.encoding == "category" else pl.Float32) for c in columns(side, self.present)]
        types = pl.Schema([("key", pl.Int32), *codes])
        if rows.is_empty():  # which NVTabular can't put through a join
            return pl.DataFrame(schema=types)
        # Merlin caches tables of categories by path alone, whichever fit and engine they were read for.
        clean_worker_cache()
        # A frame rather than a Dataset, which computes everything twice, the first time to infer the types.
        frame = self.engine.frame(rows.select(workflow.input_schema.column_names))
        encoded = self.engine.table(workflow.transform(frame))
        # A column with only missing values has no median: it gets the mean, 0.
        filled = pl.col(pl.Float32).fill_nan(0.0).fill_null(0.0)
        return encoded.select(types.names()).cast(types).with_columns(filled)

    def schema(self, *sides: Side) -> Schema:
        """Return Merlin's schema of the encoded columns of `sides`, from which towers are built.

        Lists of a customer's latest articles share the domain, and so the embedding table, of the article's own column.
        """
        found = []
        for side in sides:
            fitted = self.workflows[side].output_schema
            for column in columns(side, self.present):
                if column.encoding == "category":
                    top = int(fitted[column.name].int_domain.max)
                    found.append(_categorical(column.name, column.name, top))
                else:
                    found.append(ColumnSchema(column.name, tags=[Tags.CONTINUOUS], dtype="float32"))
        if "customer" in sides:
            domains = self.schema("article")
            for column in listed(self.present):
                top = int(domains[column.name].int_domain.max)
                found += [
                    _categorical(f"{prefix}{column.name}", column.name, top, (Tags.SEQUENCE,))
                    for prefix in (RECENT, LATEST)
                ]
        return Schema(found)


def check_schema(side: str, fitted: Schema, rows: pl.DataFrame) -> None:
    """Raise DataError unless `rows` has the columns and types that the workflow of `side` was fitted on."""
    for column in fitted:
        now = str(rows.schema.get(column.name, "absent from the data")).lower()
        if now != column.dtype.name:
            raise DataError(
                f"encode: the {side} column '{column.name}' was {column.dtype.name} when the workflow was fitted "
                f"and is {now} now; train a new run on this data."
            )


def _graph(chosen: tuple[EncodedColumn, ...], folder: Path) -> Any:
    """Build the operations for the columns of one side, as an NVTabular graph."""
    codes = [column.name for column in chosen if column.encoding == "category"]
    numbers = [column.name for column in chosen if column.encoding == "number"]
    amounts = [column.name for column in chosen if column.encoding == "amount"]
    rare = {column.name: column.least for column in chosen if column.encoding == "category"}
    graph = nvt.ColumnSelector(["key"]) + (codes >> ops.Categorify(freq_threshold=rare, out_path=str(folder)))
    if numbers:
        graph += numbers >> ops.FillMedian() >> ops.Normalize()
    if amounts:
        graph += amounts >> ops.FillMedian() >> ops.LogOp() >> ops.Normalize()
    for ratio in (column for column in chosen if column.encoding == "ratio"):
        value, group = ratio.needs
        # NVTabular's mean counts missing values as 0, so the column `value` must have none.
        means = [group] >> ops.JoinGroupby(cont_cols=[value], stats=["mean"], out_path=str(folder))
        shares = means[f"{group}_{value}_mean"] >> ops.LambdaOp(_Over(value), dependency=[value])
        graph += shares >> ops.Rename(name=ratio.name) >> ops.FillMedian() >> ops.Normalize()
    return graph


@dataclass(frozen=True)
class _Over:
    """The column `value` divided by a mean, where that is above 0."""

    value: str

    def __call__(self, mean: Any, rows: Any) -> Any:
        return rows[self.value] / mean.where(mean > 0)


def _categorical(name: str, domain: str, top: int, tags: tuple[Tags, ...] = ()) -> ColumnSchema:
    properties = {"domain": {"min": 0, "max": top, "name": domain}}
    return ColumnSchema(name, tags=[Tags.CATEGORICAL, *tags], properties=properties, dtype="int32", is_list=bool(tags))
