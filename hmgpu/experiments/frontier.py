"""Measure what variety costs: one ranker's lists, ranked again with less and less weight on its scores."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.core.certainty import intervals
from hmgpu.core.engine import Engine
from hmgpu.core.files import write_json, write_text
from hmgpu.core.metrics import average_precision
from hmgpu.core.printed import figures_table
from hmgpu.data.weeks import Week
from hmgpu.evaluation.report.frontier import frontier_page
from hmgpu.evaluation.variety import VarietyScale
from hmgpu.experiments.folds import fold_pipelines, place_of
from hmgpu.parts.candidates import KEYS
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.diversify import Diversify, Reranking
from hmgpu.pipeline.learn import filler
from hmgpu.pipeline.lists import best_scored, top_k
from hmgpu.pipeline.pipeline import Pipeline

log = logging.getLogger(__name__)

RELEVANCES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)


def measure_frontier(config: Config, engine: Engine, folds: int) -> tuple[dict[str, Any], Path]:
    """Rank the last `folds` weeks' lists again for a range of `lists.diversify.relevance`, by one ranker a week.

    Returns the figures, and the file with them, next to a page: `points`, for each relevance `map_at_<k>` with its
    95 % `interval` and the measures of `variety` that docs/evaluation.md names, means over the buyers of all weeks (who
    bought in two counts twice). Other settings of `lists.diversify` are those of the config.
    """
    precisions, measured, weeks = list[pl.DataFrame](), list[tuple[int, list[dict[str, float]]]](), list[str]()
    for pipeline, week in fold_pipelines(config, engine, folds):
        with pipeline.working():
            precise, varieties = _points(pipeline, week)
        precisions.append(precise)
        measured.append((precise.height, varieties))
        weeks.append(str(week))
    rows, k = pl.concat(precisions), config.lists.k
    spans, means = intervals(rows), rows.drop("customer").mean().row(0, named=True)
    points = [
        {
            "relevance": relevance,
            f"map_at_{k}": means[str(relevance)],
            "interval": list(spans[str(relevance)]),
            "variety": _pooled([(customers, each[place]) for customers, each in measured]),
        }
        for place, relevance in enumerate(RELEVANCES)
    ]
    found = {"weeks": weeks, "customers": rows.height, "k": k, "points": points, "settings": config.settings()}
    file = place_of("frontier", pipeline, week, len(weeks), config.runs)
    write_json(file, found)
    write_text(file.with_suffix(".html"), frontier_page(found))
    return found, file


def _points(pipeline: Pipeline, week: Week) -> tuple[pl.DataFrame, list[dict[str, float]]]:
    """Return (customer, the average precision for each relevance), sorted, and the measures of variety for each."""
    context, engine, k = pipeline.context, pipeline.engine, pipeline.config.lists.k
    history, labels = pipeline.store.as_of(week.first_day), engine.collect(pipeline.store.sold_in(week))
    buyers, best_sellers = labels.select("customer").unique(), filler(pipeline.learn(week))
    pairs, scale = context.learning.exclusions.pairs(history), VarietyScale.of(history, engine)
    reranking = context.learning.reranking or Reranking(Diversify())
    scored = [*_scored(pipeline, week, reranking.settings.among)]
    columns, varieties = list[pl.DataFrame](), list[dict[str, float]]()
    for relevance in RELEVANCES:
        log.info("week %s: lists of relevance %.2f", week, relevance)
        chosen = pl.concat(
            best_scored(reranking.at(relevance).apply(table.lazy(), history, k, engine), k, engine) for table in scored
        )
        lists = engine.collect(top_k(chosen.lazy(), buyers.lazy(), best_sellers, k, pairs))
        columns.append(average_precision(lists, labels, k).rename({"average_precision": str(relevance)}))
        varieties.append(scale.figures(lists))
    return pl.concat([columns[0], *(each.drop("customer") for each in columns[1:])], how="horizontal"), varieties


def _scored(pipeline: Pipeline, week: Week, among: int) -> Iterator[pl.DataFrame]:
    """Yield (customer, article, score): the best candidates of some customers at a time, by the ranker of `week`."""
    model = pipeline.load(pipeline.ranker_of(week))
    for table in pipeline.examples(week, training=False)[0].tables():
        yield best_scored(table.select(KEYS).with_columns(score=model.score(table)), among, pipeline.engine)


def _pooled(weeks: list[tuple[int, dict[str, float]]]) -> dict[str, float]:
    """Return each measure's mean over the weeks, weighed by their customers."""
    total = sum(customers for customers, _ in weeks)
    return {name: sum(customers * each[name] for customers, each in weeks) / total for name in weeks[0][1]}


def frontier_table(found: Mapping[str, Any]) -> Table:
    """Return a table of MAP@k and all measures of variety by relevance."""
    k, points = found["k"], found["points"]
    table = figures_table(
        f"{found['weeks'][0]} to {found['weeks'][-1]}, {found['customers']:,} buyers: one ranker, ranked again",
        ["relevance"],
        [f"MAP@{k}", "of 1.0", *(name.replace("_", "\n") for name in points[0]["variety"])],
        "relevance: lists.diversify.relevance, 1 is the ranker's order; measures are those of `hmgpu evaluate`",
    )
    first = points[0][f"map_at_{k}"]
    for point in points:
        score = point[f"map_at_{k}"]
        ratio = f"{score / first:.3f}" if first else "–"
        measures = (f"{value:.3f}" for value in point["variety"].values())
        table.add_row(f"{point['relevance']:.2f}", f"{score:.5f}", ratio, *measures)
    return table
