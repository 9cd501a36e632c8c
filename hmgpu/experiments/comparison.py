"""Two runs compared, as Python hands it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from rich.table import Table

from hmgpu.core.list_length import list_length
from hmgpu.core.printed import Printed
from hmgpu.experiments.compare import Judged, compare, comparison_tables


class HasRun(Protocol):
    """Whatever has a run, such as a session."""

    @property
    def run(self) -> Path:
        """The run's folder."""


@dataclass(frozen=True, repr=False)
class Comparison(Printed):
    """How far the second run is ahead of the first. Printed, it shows the tables that `hmgpu compare` prints."""

    found: dict[str, Any]
    """All figures, as `hmgpu compare --out` writes them."""

    @property
    def difference(self) -> float:
        """In MAP@k, positive where the second is better; over all customers of all weeks."""
        return float(self.found["all"]["difference"])

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval of `difference`."""
        return float(self.found["all"]["low"])

    @property
    def high(self) -> float:
        """Upper end."""
        return float(self.found["all"]["high"])

    @property
    def p_value(self) -> float:
        """Of the permutation test: how often chance alone makes a difference as large."""
        return float(self.found["all"]["p_value"])

    @property
    def weeks(self) -> pl.DataFrame:
        """(week, customers, first, second, difference, low, high, p_value), a row a week; MAP@k of both runs."""
        return _frame("week", self.found["weeks"])

    @property
    def segments(self) -> pl.DataFrame:
        """(segment, customers, first, second, difference, low, high, p_value), a row a segment of customers."""
        return _frame("segment", self.found["segments"])

    @property
    def settings(self) -> dict[str, list[Any]]:
        """What was set differently, by `key.key`: the first run's value and the second's."""
        return dict(self.found["settings"])

    def tables(self) -> Sequence[Table]:
        return comparison_tables(self.found)


def compare_runs(first: str | Path | HasRun, second: str | Path | HasRun) -> Comparison:
    """How far the ranker of `second` is ahead of that of `first`, customer by customer on the same weeks.

    Args:
        first: a session, the folder of a run that was evaluated, or the file of `hmgpu evaluate --folds`
            (`Backtest.file`).
        second: likewise.

    Raises RunError where nothing was evaluated, or not the same weeks and customers of the same data.
    """
    return Comparison(compare(*(Judged.read(_place(each)) for each in (first, second))))


def _place(given: str | Path | HasRun) -> Path:
    return Path(given) if isinstance(given, str | Path) else given.run


def _frame(name: str, groups: dict[str, dict[str, Any]]) -> pl.DataFrame:
    rows = []
    for group, figures in groups.items():
        first, second = figures[f"map_at_{list_length(figures)}"]
        others = {key: figures[key] for key in ("difference", "low", "high", "p_value")}
        rows.append({name: group, "customers": figures["customers"], "first": first, "second": second, **others})
    return pl.DataFrame(rows)
