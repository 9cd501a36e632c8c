"""Evaluate the last weeks one by one, each scored by a ranker that was fitted and stopped before it.

One week's MAP@k depends on the week, and the validation week also stops the ranker; these figures are free of both.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.core.certainty import intervals
from hmgpu.core.engine import Engine
from hmgpu.core.files import UNFINISHED, sha256, write_json, write_text
from hmgpu.core.list_length import list_length
from hmgpu.core.parquet import read_table
from hmgpu.core.printed import figures_table
from hmgpu.data.open_store import open_store
from hmgpu.data.weeks import Week
from hmgpu.evaluation.method_names import shown_as
from hmgpu.evaluation.report.folds import folds_page
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import PRECISIONS
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.schedule import check_folds, scored_weeks
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.runs.run import MANIFEST

Folds = Iterable[tuple[Pipeline, Week]]
"""Pipelines, and the week that each is scored on."""


def evaluate_folds(folds: Folds, runs: Path) -> tuple[dict[str, Any], Path]:
    """Evaluate each fold's week; return the figures of each and of all together, and the file in `runs` with them.

    The file also describes what was evaluated, and every customer's average precisions lie next to it: a comparison
    needs only these two, whatever becomes of the runs. A page next to them shows the figures.
    """
    scored, precisions = [], []
    for pipeline, week in folds:
        with pipeline.working():
            metrics = pipeline.evaluate(week).resolve()
        scored.append(json.loads(metrics.read_text()))
        customers = read_table(metrics.with_name(PRECISIONS))
        precisions.append(customers.select(pl.lit(str(week)).alias("week"), pl.all()))
    rows = pl.concat(precisions)
    file = place_of("folds", pipeline, week, len(scored), runs)
    table = file.with_suffix(".parquet")
    draft = table.with_name(f"{UNFINISHED}{table.name}")
    rows.write_parquet(draft)
    os.replace(draft, table)
    found = {
        "folds": scored,
        "all": _pooled(rows.drop("week", "segment"), list_length(scored[0])),
        "precisions": {table.name: sha256(table)},
        "settings": pipeline.config.settings(),
        "manifest": json.loads((pipeline.run.folder / MANIFEST).read_text()),
    }
    write_json(file, found)
    write_text(file.with_suffix(".html"), folds_page(found))
    return found, file


def place_of(what: str, last: Pipeline, week: Week, folds: int, runs: Path) -> Path:
    """Return the file in `runs` for a result of the kind `what`: named by all that decides it, so no other has it.

    Args:
        last: the pipeline of the last fold; its run is named by settings, data, engine and code.
        week: the last fold's.
        folds: how many there are.
    """
    return runs / f"{what}-{folds}-weeks-to-{week}-{last.run.folder.name.rpartition('-')[2]}.json"


def _pooled(rows: pl.DataFrame, k: int) -> dict[str, Any]:
    """Pool all buyers; a customer who bought in two weeks counts twice."""
    means = rows.drop("customer").mean().row(0, named=True)
    return {"customers": rows.height, f"map_at_{k}": means, f"map_at_{k}_interval": intervals(rows)}


def fold_pipelines(
    config: Config, engine: Engine, folds: int, workers: Workers = IN_PROCESS
) -> Iterator[tuple[Pipeline, Week]]:
    """Yield each of the `folds` weeks up to the config's validation week, with the pipeline that is fitted before it.

    A week's validation week is the one before it, and its training weeks are the ones before that. Raises DataError
    at once where the data is too short for so many, with how many fit.
    """
    store = open_store(config.data, config.weeks.gap)
    check_folds(config, store, folds)

    def opened(week: Week) -> tuple[Pipeline, Week]:
        weeks = config.weeks.model_copy(update={"validation": str(week.back(1))})
        return open_pipeline(config.model_copy(update={"weeks": weeks}), engine, workers), week

    return map(opened, scored_weeks(config, store, folds))


def fold_table(found: Mapping[str, Any]) -> Table:
    """Return a table of every method's MAP@k and its 95 % interval, over all weeks and in every week."""
    k = list_length(found["all"])
    table = figures_table(
        f"MAP@{k}, each week scored by a ranker fitted and stopped before it",
        ["week", "method"],
        ["customers", f"MAP@{k}", "95 %", "of order"],
        "of order: as a multiple of the method `order`",
    )
    for name, figures in (*((fold["week"], fold) for fold in found["folds"]), ("all", found["all"])):
        table.add_section()
        values, ranges = figures[f"map_at_{k}"], figures[f"map_at_{k}_interval"]
        for number, (method, value) in enumerate(values.items()):
            first = (name, f"{figures['customers']:,}") if number == 0 else ("", "")
            low, high = ranges[method]
            ratio = f"{value / values['order']:.2f}" if values.get("order") else "–"
            cells = (f"{value:.5f}", f"{low:.5f}–{high:.5f}", ratio)
            table.add_row(first[0], shown_as(method), first[1], *cells, style="bold" if method == "ranker" else "")
    return table
