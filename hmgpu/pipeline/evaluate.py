"""Evaluate a week in two steps: the figures with the lists behind them, and the page that shows them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.files import write_json
from hmgpu.core.parquet import read_table, scan_table
from hmgpu.data.pictures import pictures_digest
from hmgpu.data.segments import ACTIVE_DAYS
from hmgpu.data.weeks import Week
from hmgpu.evaluation.calibration import bought_by_place, calibration_of
from hmgpu.evaluation.figures import figures_of, members_of, score_methods, with_ages
from hmgpu.evaluation.groups import groups_of
from hmgpu.evaluation.method_names import ORDER, RANKER
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.run import report_page
from hmgpu.evaluation.report.sampled_lists import sampled_lists
from hmgpu.evaluation.report.similar import spaces_of
from hmgpu.evaluation.retrievers import count_by_rank
from hmgpu.evaluation.variety import VarietyScale, with_variety
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL
from hmgpu.pipeline.baselines import baseline_lists
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import look_up, parts_of_columns, propose
from hmgpu.pipeline.fit import LabelledWeeks
from hmgpu.pipeline.learn import FALLBACK, filler
from hmgpu.pipeline.lists import best_scored, top_k
from hmgpu.pipeline.reasons import added_by_part, deciding, sentences
from hmgpu.runs.run import Step

METRICS, PRECISIONS, LISTS = "metrics.json", "precisions.parquet", "lists.parquet"
REPORT, ABLATION = "report.html", "ablation.json"


def ablation_step(week: Week) -> str:
    """Return the name of the step that holds the `ablation.json` of `week`."""
    return f"{week}/ablate/all"


@dataclass(frozen=True)
class FittedWeek:
    """A week to evaluate a fitted ranker on."""

    week: Week
    fitted: Step
    """The step that holds the ranker's model."""
    examples: LabelledWeeks
    """All candidates of all customers who bought in the week."""


def judge(context: StepContext, on: FittedWeek) -> Step:
    """Write `metrics.json`, every buyer's average precision, and the ranker's list for each buyer."""
    engine, store, week = context.engine, context.store, on.week

    def write(folder: Path) -> dict[str, int]:
        labels, history = engine.collect(store.sold_in(week)), store.as_of(week.first_day)
        if labels.is_empty():
            raise DataError(f"Nobody bought in the week {week}: there is nothing to evaluate; take another week.")
        labels = with_ages(labels, history, engine)
        members = members_of(history, labels.select("customer").unique(), engine)
        lists, counts, scored = _lists_and_counts(context, on, labels, members)
        on_sale = engine.collect(history.on_sale(ACTIVE_DAYS))
        figures, precisions = figures_of(lists, counts, list(context.retrievers), labels, members, on_sale, context.k)
        figures = with_variety(figures, lists, members, VarietyScale.of(history, engine))
        figures |= {
            "groups": groups_of(lists, precisions, labels, history, engine, context.k),
            "calibration": calibration_of(scored),
            "by_place": {method: bought_by_place(table, labels, context.k) for method, table in lists.items()},
        }
        write_json(folder / METRICS, {"week": str(week)} | figures)
        precisions.write_parquet(folder / PRECISIONS)
        lists[RANKER].sort("customer", "rank").write_parquet(folder / LISTS)
        return {"customers": figures["customers"]}

    return context.run.step(f"{week}/evaluate", _settings(context), _inputs(context, on), write)


def _lists_and_counts(
    context: StepContext, on: FittedWeek, labels: pl.DataFrame, members: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, pl.DataFrame]:
    """Return each method's lists (customer, article, rank), the counts of all candidates by rank, and their scores.

    The last is (score float32, label int8), five bytes a candidate.

    Candidates are read some customers at a time: of all who bought in a week of H&M's they would take gigabytes.
    """
    engine, retrievers, history = context.engine, list(context.retrievers), context.store.as_of(on.week.first_day)
    model, buyers = context.ranker.load(on.fitted.folder, engine), members.lazy().select("customer")
    counts, scored = list[pl.DataFrame](), list[pl.DataFrame]()
    best = {ORDER: list[pl.DataFrame](), RANKER: list[pl.DataFrame]()}
    for table in on.examples[0].tables():
        scores = score_methods(table, model, retrievers)
        counts.append(count_by_rank(table, retrievers, labels, members, engine))
        scored.append(scores.select(score=pl.col(RANKER).cast(pl.Float32)).with_columns(table[LABEL]))
        for method, found in best.items():
            of_method = scores.select(*KEYS, score=method)
            if method == RANKER:
                of_method = context.reranked(of_method, history)
            found.append(best_scored(of_method, context.k, engine))
    if not counts:
        raise DataError(
            "No retriever proposed anything to the customers who bought in the week: there is nothing to evaluate."
        )
    best_sellers = filler(context.learning.learn(on.week, {}))
    pairs = context.learning.exclusions.pairs(history)
    plans = baseline_lists(history, buyers, context.k)
    for method, found in best.items():
        plans[method] = top_k(pl.concat(found).lazy(), buyers, best_sellers, context.k, pairs)
    return {method: engine.collect(plan) for method, plan in plans.items()}, pl.concat(counts), pl.concat(scored)


def report(context: StepContext, on: FittedWeek, judged: Step) -> Step:
    """Write `report.html` about what `judged` computed, and about the ablation of the week if the run has one.

    It has no head: what is said there of the run may have come about after the week.
    """
    engine, store, week, examples = context.engine, context.store, on.week, on.examples[0]
    ablation = context.run.there(ablation_step(week))
    learned = context.learning.learn(week, context.learners)

    def write(folder: Path) -> None:
        afterwards = store.known_before(week.last_day + 1)
        evaluated = Evaluated(
            metrics=json.loads((judged.folder / METRICS).read_text()),
            precisions=read_table(judged.folder / PRECISIONS),
            lists=read_table(judged.folder / LISTS),
            labels=engine.collect(store.sold_in(week)),
            history=store.as_of(week.first_day),
            catalogue=afterwards.articles,
            customers=afterwards.customers,
            examples=examples,
            model=context.ranker.load(on.fitted.folder, engine),
            model_files=on.fitted.folder,
            retrievers=list(context.retrievers),
            pictures=store.pictures,
            engine=engine,
            spaces=spaces_of({name: learned[step].folder for name, step in context.learned_as.items()}),
            left_out=context.left_out,
            ablation=json.loads((ablation.folder / ABLATION).read_text()) if ablation else None,
        )
        (folder / REPORT).write_text(report_page(_explained(context, evaluated, week, learned)), encoding="utf-8")

    shown = [judged.digest, *([ablation.digest] if ablation else []), pictures_digest(store.pictures)]
    settings = _settings(context) | {"left_out": dict(context.left_out)}
    return context.run.step(f"{week}/report", settings, [*_inputs(context, on), *shown], write)


def _explained(context: StepContext, evaluated: Evaluated, week: Week, learned: Mapping[str, Step]) -> Evaluated:
    """Return `evaluated` with the part behind each column, and a sentence for each article that the page recommends."""
    shown = sampled_lists(evaluated).select("customer").unique().sort("customer")
    proposed = propose(context, week, learned, shown)
    listed = evaluated.lists.join(shown, on="customer", how="semi").select(KEYS)
    pairs = look_up(context, proposed, listed)
    parts, theirs = parts_of_columns(context, proposed), pl.col("customer").is_in(shown["customer"].to_list())
    rows = scan_table(evaluated.examples.files).filter(theirs).join(listed.lazy(), on=KEYS, how="semi").sort(KEYS)
    described = context.engine.collect(rows)
    adds = deciding(added_by_part(evaluated.model, described, parts), described)
    said = dict(zip(pairs.select(KEYS).iter_rows(), sentences(context, proposed, pairs, adds), strict=True))
    return replace(evaluated, families=parts, reasons=said)


def _settings(context: StepContext) -> dict[str, Any]:
    """Return what decides besides the inputs: a model may be used with settings that it was not fitted with."""
    lists = context.list_settings() | context.learning.exclusions.settings()
    return {"ranker": context.ranker.settings(), "parts": context.part_settings, "lists": lists}


def _inputs(context: StepContext, on: FittedWeek) -> list[str]:
    seen = context.store.digest_before(on.week.last_day + 1)
    fallback = context.learning.learn(on.week, {})[FALLBACK]
    return [seen, *(step.digest for step in (on.fitted, fallback, *on.examples[1]))]
