"""hmgpu's own pipeline in a benchmark's weeks: the figures that its evaluation wrote, its time and its memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hmgpu.benchmark.steps import kinds_of
from hmgpu.core.errors import RunError
from hmgpu.core.list_length import K
from hmgpu.core.parquet import read_table
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.evaluation.method_names import ORDER, RANKER
from hmgpu.parts.candidates import KEYS
from hmgpu.pipeline.evaluate import PRECISIONS
from hmgpu.pipeline.lists import best_scored, best_sellers, top_k
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.runs.run import MANIFEST

SERVING = ("recommend", "submit")


@dataclass(frozen=True)
class Own:
    """One week of hmgpu's pipeline."""

    precisions: pl.DataFrame
    """(customer, average_precision) of everybody who bought in the week."""
    order: pl.DataFrame
    """The same of the candidates in the config's order."""
    seconds: float
    """Seconds of all steps that led to these lists, reused ones included."""
    memory_mib: float | None
    """The most that the process held in one of these steps."""


def evaluated(file: Path, store: Store, weeks: Sequence[Week]) -> list[Own]:
    """Read each week's evaluation, by `hmgpu evaluate --folds`, which wrote `file` into the folder of its runs.

    Raises RunError where a week is not in `file`, or no run next to it has the week's figures on this data.
    """
    scored = {fold["week"]: fold for fold in json.loads(file.read_text())["folds"]}
    found = []
    for week in weeks:
        if str(week) not in scored:
            raise RunError(
                f"{file} has no week {week}: evaluate all compared weeks, hmgpu evaluate --folds {len(weeks)}."
            )
        found.append(_week(file, store, week, scored[str(week)]))
    return found


def _week(file: Path, store: Store, week: Week, figures: object) -> Own:
    for metrics in sorted(file.parent.glob(f"*/steps/{week}/evaluate/metrics.json")):
        run = metrics.parents[3]
        if json.loads(metrics.read_text()) == figures and _data(run) == store.digest:
            precisions = read_table(metrics.with_name(PRECISIONS))
            ranked, in_order = (precisions.select("customer", average_precision=method) for method in (RANKER, ORDER))
            kinds = [kind for name, kind in kinds_of(run).items() if name not in SERVING]
            memory = max((kind.memory_mib for kind in kinds if kind.memory_mib is not None), default=None)
            seconds = sum(kind.seconds for kind in kinds)
            return Own(ranked, in_order, seconds, memory)
    raise RunError(
        f"No run in {file.parent} has the figures of {file.name} for the week {week}, on the data in {store.root}: "
        "evaluate the folds again."
    )


def _data(run: Path) -> str | None:
    manifest = run / MANIFEST
    return json.loads(manifest.read_text()).get("data") if manifest.is_file() else None


def recommended_lists(pipeline: Pipeline, week: Week) -> pl.DataFrame:
    """Return (customer, article, rank 1..12): the lists in the pipeline's evaluation of `week`, for its buyers."""
    with pipeline.working():
        examples, _ = pipeline.examples(week, training=False)
        model = pipeline.load(pipeline.train())
    tables = (table.select(KEYS).with_columns(score=model.score(table)) for table in examples.tables())
    scored = pl.concat(best_scored(table, K, pipeline.engine) for table in tables)
    buyers = pipeline.store.sold_in(week).select("customer").unique()
    filler = best_sellers(pipeline.store.as_of(week.first_day))
    return pipeline.engine.collect(top_k(scored.lazy(), buyers, filler))
