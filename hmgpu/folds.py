"""The last weeks one by one, each scored by a ranker that was fitted and stopped before it.

One week's MAP@12 depends on the week, and the validation week also stops the ranker; these figures are free of both.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from hmgpu.config import Config
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.engine import Engine
from hmgpu.files import write_json
from hmgpu.pipeline import Pipeline
from hmgpu.workers import HERE, Workers

Folds = Iterable[tuple[Pipeline, Week]]
"""Lines, and the week that each is scored on."""


def evaluate_folds(folds: Folds, runs: Path) -> tuple[list[dict[str, Any]], Path]:
    """The content of `metrics.json` for the week of each fold, and the file in `runs` that has them all."""
    scored = []
    for line, week in folds:
        with line.working():
            scored.append(json.loads(line.evaluate(week).read_text()))
    file = runs / f"folds-{scored[-1]['week']}.json"
    write_json(file, scored)
    return scored, file


def fold_lines(config: Config, engine: Engine, folds: int, workers: Workers = HERE) -> Iterator[tuple[Pipeline, Week]]:
    """Each of the last `folds` complete weeks, oldest first, with the line whose ranker is made before it.

    For each week the validation week is the one before it and the training weeks those before that.
    """
    last = Store(config.data.root).last_complete_week
    for back in reversed(range(folds)):
        week = last.back(back)
        weeks = config.weeks.model_copy(update={"validation": str(week.back(1))})
        yield Pipeline.open(config.model_copy(update={"weeks": weeks}), engine, workers), week


def fold_table(scored: Sequence[dict[str, Any]]) -> Table:
    """MAP@12 of every method in every week, and over all buyers of all weeks."""
    table = Table(title="MAP@12, each week by a ranker fitted and stopped before it")
    table.add_column("week")
    table.add_column("customers", justify="right")
    methods = list(scored[0]["map_at_12"])
    for method in methods:
        table.add_column(method.replace("_", " + "), justify="right")
    table.add_column("ranker / order", justify="right")
    for fold in scored:
        _row(table, fold["week"], fold["customers"], fold["map_at_12"])
    table.add_section()
    buyers = sum(fold["customers"] for fold in scored)
    pooled = {
        method: sum(fold["customers"] * fold["map_at_12"][method] for fold in scored) / buyers for method in methods
    }
    _row(table, "all", buyers, pooled)
    return table


def _row(table: Table, name: str, customers: int, values: dict[str, float]) -> None:
    ratio = f"{values['ranker'] / values['order']:.2f}" if values["order"] else "–"
    table.add_row(name, f"{customers:,}", *(f"{value:.5f}" for value in values.values()), ratio)
