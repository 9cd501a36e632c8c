"""A config scored on the last weeks one by one, as Python hands it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.core.choices import Choice
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.list_length import list_length
from hmgpu.core.printed import Printed
from hmgpu.experiments.folds import evaluate_folds, fold_pipelines, fold_table
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.session import Settings
from hmgpu.pipeline.tracking import track_folds


@dataclass(frozen=True, repr=False)
class Backtest(Printed):
    """MAP@12 in several weeks. Printed, it shows the table that `hmgpu evaluate --folds` prints."""

    found: dict[str, Any]
    """All figures, as the file has them."""
    file: Path
    """The JSON file; a page of the same name (.html) shows it, and `hmgpu.compare` takes it."""

    @property
    def folds(self) -> pl.DataFrame:
        """(week, method, customers, map_at_12, low, high), a row for each week and method; a 95 % interval."""
        return pl.concat(_rows(fold["week"], fold) for fold in self.found["folds"])

    @property
    def pooled(self) -> pl.DataFrame:
        """(method, customers, map_at_12, low, high) over all buyers of all weeks; who bought in two counts twice."""
        return _rows("all", self.found["all"]).drop("week")

    def tables(self) -> Sequence[Table]:
        return [fold_table(self.found)]


def backtest(
    config: str | Path, folds: int = 4, settings: Settings | None = None, engine: Choice | None = None
) -> Backtest:
    """Score each of the last `folds` complete weeks, each by a ranker that was fitted and stopped before it.

    Args:
        config: the path of a YAML file, or the name of a config that comes with hmgpu.
        settings: put over the config; `weeks.validation` is set to each week in turn.
        engine: cpu, gpu or auto; None takes the config's.

    Raises ConfigError for a wrong setting, DataError where the data is too short for so many weeks.
    """
    if folds < 1:
        raise ConfigError(f"folds is {folds}, but it must be 1 or more: the number of last weeks to score.")
    loaded = load_config(config, settings)
    chosen = Engine.choose(engine or loaded.engine)
    found, file = evaluate_folds(fold_pipelines(loaded, chosen, folds), loaded.runs)
    track_folds(loaded, "backtest", found, file)
    return Backtest(found, file)


def _rows(week: str, figures: dict[str, Any]) -> pl.DataFrame:
    k = list_length(figures)
    intervals = figures[f"map_at_{k}_interval"]
    return pl.DataFrame(
        {
            "week": week,
            "method": method,
            "customers": figures["customers"],
            f"map_at_{k}": value,
            "low": intervals[method][0],
            "high": intervals[method][1],
        }
        for method, value in figures[f"map_at_{k}"].items()
    )
