"""Compare two runs: which is better, how surely, for which customers, and which settings differ.

They are compared customer by customer on the same weeks, so that the difficulty of a customer or a week cancels out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import polars as pl
import yaml
from rich.table import Table

from hmgpu.core.certainty import intervals, p_value
from hmgpu.core.differing import differing
from hmgpu.core.errors import RunError
from hmgpu.core.files import sha256
from hmgpu.core.list_length import K, list_length
from hmgpu.core.parquet import read_table
from hmgpu.core.printed import figures_table
from hmgpu.pipeline.config import decisive
from hmgpu.pipeline.evaluate import PRECISIONS
from hmgpu.runs.run import MANIFEST

BUYER = ("week", "customer")


@dataclass(frozen=True)
class Judged:
    """An evaluated run, or an evaluation of several folds, as it is compared."""

    place: Path
    settings: Mapping[str, Any]
    manifest: Mapping[str, Any]
    """The run's manifest: its data, engine, code."""
    rows: pl.DataFrame
    """(week, customer, segment, ranker): the average precision of the ranker's list for each customer who bought."""

    @property
    def k(self) -> int:
        """Return the number of articles in a list; runs from before it could be chosen have 12."""
        return int(self.settings.get("lists", {}).get("k", K))

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read a run's folder, or the file of `evaluate --folds`. Raises RunError where there is no evaluation."""
        try:
            return cls._of_folds(place) if place.is_file() else cls._of_run(place)
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError, pl.exceptions.PolarsError):
            what = "holds no evaluation that can be read" if place.exists() else "does not exist"
            raise RunError(
                f"{place} {what}: name a run that `hmgpu evaluate` or `hmgpu run` finished, or the file that "
                "`hmgpu evaluate --folds N` wrote."
            ) from None

    @classmethod
    def _of_run(cls, folder: Path) -> Self:
        metrics = (folder / "metrics.json").resolve(strict=True)
        week = pl.lit(json.loads(metrics.read_text())["week"]).alias("week")
        rows = read_table(metrics.with_name(PRECISIONS)).select(week, "customer", "segment", "ranker")
        settings = yaml.safe_load((folder / "config.yaml").read_text())
        return cls(folder, settings, json.loads((folder / MANIFEST).read_text()), rows)

    @classmethod
    def _of_folds(cls, file: Path) -> Self:
        found = json.loads(file.read_text())
        ((name, listed),) = found["precisions"].items()
        table = file.with_name(name)
        if sha256(table) != listed:
            raise RunError(f"{table} is not the table that belongs to {file}: evaluate the folds again.")
        rows = read_table(table).select(*BUYER, "segment", "ranker")
        return cls(file, found["settings"], found["manifest"], rows)


def compare(first: Judged, second: Judged) -> dict[str, Any]:
    """Compute how far the ranker of `second` is ahead of the ranker of `first`: over all, by week and by segment.

    Each has `map_at_<k>` of both; `difference`, positive where the second is better; `low` and `high`, its 95 %
    interval (`certainty.intervals`); `p_value` (`certainty.p_value`). A customer who bought in two weeks counts twice.

    Raises RunError unless both were scored on the same customers in the same weeks of the same data.
    """
    _check_comparable(first, second)
    rows = first.rows.join(second.rows, on=BUYER, suffix="_second", validate="1:1").sort(BUYER)
    parts = {part: sorted(rows.group_by(part, maintain_order=True)) for part in ("week", "segment")}
    return {
        "runs": [str(first.place), str(second.place)],
        "all": paired(rows, first.k),
        **{f"{part}s": {name: paired(group, first.k) for (name,), group in groups} for part, groups in parts.items()},
        "settings": differing(_decisive(first), _decisive(second)),
    }


def _check_comparable(first: Judged, second: Judged) -> None:
    weeks = [", ".join(judged.rows["week"].unique().sort()) for judged in (first, second)]
    if first.manifest["data"] != second.manifest["data"]:
        raise RunError(f"{first.place} and {second.place} used different data: evaluate both on one data set.")
    if first.k != second.k:
        raise RunError(
            f"{first.place} has lists of {first.k} articles and {second.place} of {second.k}: evaluate both with one "
            "lists.k."
        )
    if weeks[0] != weeks[1]:
        raise RunError(
            f"{first.place} was scored on {weeks[0]} and {second.place} on {weeks[1]}: evaluate both on the same, with "
            "--set weeks.validation=YYYY-MM-DD or with one number of --folds."
        )
    if not first.rows.select(BUYER).sort(BUYER).equals(second.rows.select(BUYER).sort(BUYER)):
        raise RunError(f"{first.place} and {second.place} were scored on different customers: evaluate both again.")


def paired(rows: pl.DataFrame, k: int) -> dict[str, Any]:
    """Compute how far `ranker_second` is ahead of `ranker`; see `compare`.

    Args:
        rows: (customer, ranker, ranker_second), the average precisions of both, one row per customer and week.
    """
    ahead = rows.select("customer", difference=pl.col("ranker_second") - pl.col("ranker"))
    low, high = intervals(ahead)["difference"]
    return {
        "customers": rows.height,
        f"map_at_{k}": list(rows.select("ranker", "ranker_second").mean().row(0)),
        "difference": ahead["difference"].mean(),
        "low": low,
        "high": high,
        "p_value": p_value(ahead),
    }


def _decisive(judged: Judged) -> dict[str, Any]:
    """Return the settings that decide the result, with the engine and the code."""
    return decisive(judged.settings) | {name: judged.manifest[name] for name in ("engine", "code")}


def comparison_tables(found: Mapping[str, Any]) -> list[Table]:
    """Return tables of the differences, faint where the interval holds 0, and of the settings that differ."""
    first, second = found["runs"]
    k = list_length(found["all"])
    table = figures_table(
        f"MAP@{k} of A = {first}\nand B = {second}",
        ["over"],
        ["customers", "A", "B", "B - A", "95 %", "p"],
        "faint: the 95 % interval holds 0, so the difference may be chance",
    )
    groups = [{"all": found["all"]}, found["weeks"] if len(found["weeks"]) > 1 else {}, found["segments"]]
    for group in groups:
        table.add_section()
        for name, row in group.items():
            scores = (f"{value:.5f}" for value in row[f"map_at_{k}"])
            interval = f"{row['low']:+.5f} to\n{row['high']:+.5f}"
            cells = (f"{row['customers']:,}", *scores, f"{row['difference']:+.5f}", interval, f"{row['p_value']:.4f}")
            table.add_row(name, *cells, style="dim" if row["low"] <= 0 <= row["high"] else "")
    settings = figures_table("Settings that differ", ["key", "A", "B"], [])
    for key, values in found["settings"].items():
        settings.add_row(key, *("–" if value is None else json.dumps(value, ensure_ascii=False) for value in values))
    return [table, settings] if found["settings"] else [table]
