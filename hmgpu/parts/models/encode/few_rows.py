"""Encode the rows of one customer or a few as the fitted workflows do, to the same bits, in a hundredth of the time.

NVTabular puts a table through a graph of pandas operations and reads its categories from disk, 60 ms however few rows
there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.data.store import History
from hmgpu.parts.models.encode.columns import JUST_NOW, LATEST, RARE, RECENT, SIDES, Side, columns, listed
from hmgpu.parts.models.encode.rows import latest_rows
from hmgpu.parts.models.encode.workflow import Encoders, check_schema

FIRST = 3  # NVTabular's code of the most frequent value

Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class FewRowEncoders(Encoders):
    """Fitted workflows that are applied to few rows at a time."""

    codes: Mapping[str, tuple[Numbers, Numbers]]
    """The values of each category, sorted, and their codes."""
    moments: Mapping[str, Mapping[str, float]]
    """`median`, `mean` and `std` of each number."""

    @staticmethod
    def load(folder: Path, engine: Engine) -> "FewRowEncoders":
        fitted = Encoders.load(folder, engine)
        codes, moments = {}, dict[str, Mapping[str, float]]()
        for side in SIDES:
            moments |= moments_of(fitted.workflows[side])
            for column in columns(side, fitted.present):
                if column.encoding == "category":
                    known = categories_of(folder / side, column.name).sort("value")
                    codes[column.name] = known["value"].to_numpy(), known["code"].to_numpy()
        return FewRowEncoders(fitted.workflows, fitted.present, engine, codes, moments)

    def sessions(self, history: History, customers: pl.LazyFrame, articles: pl.DataFrame, n: int) -> pl.DataFrame:
        names = [column.name for column in listed(self.present) if column.name in articles.columns]
        rows = self.engine.collect(latest_rows(history, customers, n).sort("customer", "rank"))
        bought = articles.filter(pl.col("key").is_in(rows["key"].unique().implode())).select("key", *names)
        recent = rows.join(bought, on="key", how="left", maintain_order="left").group_by(
            "customer", maintain_order=True
        )
        lists = recent.agg(pl.col(name).alias(f"{RECENT}{name}") for name in names).rename({"customer": "key"})
        latest = (pl.col(f"{RECENT}{name}").list.head(JUST_NOW).alias(f"{LATEST}{name}") for name in names)
        return lists.with_columns(latest)

    def encode(self, side: Side, rows: pl.DataFrame) -> pl.DataFrame:
        chosen = columns(side, self.present)
        if any(column.encoding == "ratio" for column in chosen):
            return super().encode(side, rows)
        check_schema(side, self.workflows[side].input_schema, rows)
        encoded = {
            column.name: self._codes(column.name, rows[column.name].to_numpy())
            if column.encoding == "category"
            else self._numbers(column.name, rows[column.name].to_numpy(), column.encoding == "amount")
            for column in chosen
        }
        return pl.DataFrame({"key": rows["key"], **encoded})

    def _codes(self, name: str, values: Numbers) -> Numbers:
        known, codes = self.codes[name]
        if not len(known):
            return np.full(len(values), RARE, np.int32)
        places = np.searchsorted(known, values).clip(max=len(known) - 1)
        return np.where(known[places] == values, codes[places], RARE).astype(np.int32)

    def _numbers(self, name: str, values: Numbers, amount: bool) -> Numbers:
        moments = self.moments[name]
        filled = np.where(np.isnan(values), np.float32(moments["median"]), values)
        if amount:
            filled = np.log(filled + 1)
        away = filled - moments["mean"]
        scaled = away / moments["std"] if moments["std"] > 0 else away
        return np.nan_to_num(scaled, nan=0.0, posinf=np.inf, neginf=-np.inf)


def categories_of(folder: Path, column: str) -> pl.DataFrame:
    """Return (code int32, value) of the values of a category that have a code of their own, the most frequent first.

    Args:
        folder: of the workflow of the column's side.
        column: the category's name.
    """
    values = read_table(folder / "categories" / f"unique.{column}.parquet")[column]
    codes = pl.int_range(FIRST, FIRST + len(values), dtype=pl.Int32, eager=True)
    return pl.DataFrame({"code": codes, "value": values})


def moments_of(workflow: Any) -> dict[str, dict[str, float]]:
    """Return `median`, `mean` and `std` of every number, from the operators of a fitted workflow."""
    from merlin.dag import iter_nodes

    found: dict[str, dict[str, float]] = {}
    for node in iter_nodes([workflow.output_node]):
        for attribute, name in (("medians", "median"), ("means", "mean"), ("stds", "std")):
            for column, value in (getattr(node.op, attribute, None) or {}).items():
                found.setdefault(column, {})[name] = float(value)
    return found
