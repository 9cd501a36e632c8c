"""Say of a run, or of several weeks, what an experiment tracker keeps: see `hmgpu.core.trackers`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.list_length import list_length
from hmgpu.core.parquet import scan_table
from hmgpu.core.trackers import Entry, send
from hmgpu.data.store import Store
from hmgpu.parts.rankers.xgboost import CURVE_FILE
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import LISTS, REPORT
from hmgpu.pipeline.ids import Ids
from hmgpu.pipeline.pipeline import Pipeline

MODEL = "model"
SAMPLE = 100  # customers whose lists are kept there
LOSS, SCORE = "loss", "score"


def track_week(pipeline: Pipeline, verb: str, metrics: Path) -> None:
    """Log a run and the figures `metrics` of one of its weeks, as the config's `tracking` says."""
    config, store, engine = pipeline.config, pipeline.store, pipeline.engine
    send(config.tracking, lambda: run_entry(config, store, engine, pipeline.run.folder, metrics, {"verb": verb}))


def track_folds(config: Config, verb: str, found: Mapping[str, Any], file: Path) -> None:
    """Log what `evaluate_folds` found and wrote to `file`: figures of all weeks together, and a curve by week."""
    send(config.tracking, lambda: _folds_entry(config, verb, found, file))


def run_entry(config: Config, store: Store, engine: Engine, run: Path, metrics: Path, tags: Mapping[str, str]) -> Entry:
    """Return the entry of the run in the folder `run`, with figures and lists of the week of `metrics`."""
    figures = json.loads(metrics.read_text(encoding="utf-8"))
    shown = metrics.resolve().parent
    report = shown.with_name("report") / REPORT
    return Entry(
        name=run.name,
        tags={**tags, "week": figures["week"], "engine": engine.name},
        settings=settings_told(config.settings()),
        figures=_of_one_week(figures),
        curves=curves_of(run),
        files=[report, metrics, run / MODEL],
        texts={"lists.csv": _sampled(shown / LISTS, store, engine)},
    )


def settings_told(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a config's `settings` is told: all but whom a retrain notifies, and how it is limited."""
    return {name: value for name, value in settings.items() if name != "retrain"}


def curves_of(run: Path) -> dict[str, list[float]]:
    """Return by name what the run's models recorded of each tree or epoch: the ranker's, and those of trained parts."""
    found = dict[str, list[float]]()
    model = (run / MODEL).resolve()
    for file in sorted(model.rglob(CURVE_FILE)):
        curve, name = json.loads(file.read_text(encoding="utf-8")), _name("ranker", file.parent.relative_to(model))
        found[f"{name}/{curve['metric']}"] = curve["validation"]
    for file in sorted(model.rglob("network.json")):
        found |= _by_epoch(file, _name("ranker", file.parent.relative_to(model)))
    for file in sorted(run.glob("steps/*/train/*/training.json")):
        found |= _by_epoch(file, f"{file.parts[-4]}/{file.parent.name}")
    return {name: values for name, values in found.items() if values}


def _name(*of: str | Path) -> str:
    return "/".join(str(part) for part in of if str(part) != ".")


def _by_epoch(file: Path, name: str) -> dict[str, list[float]]:
    curve: Sequence[Sequence[float | None]] = json.loads(file.read_text(encoding="utf-8")).get("curve", [])
    both = zip(*curve, strict=True) if curve else ()
    named = dict(zip((LOSS, SCORE), both, strict=False))
    return {f"{name}/{what}": [v for v in values if v is not None] for what, values in named.items()}


def _of_one_week(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return a week's figures, without groups; of each retriever those of all customers: there are hundreds more."""
    k = list_length(figures)
    retrievers = {
        name: {what: value for what, value in each.items() if not isinstance(value, Mapping)}
        for name, each in figures["retrievers"].items()
    }
    told = {name: value for name, value in figures.items() if name != "groups"}
    return {**told, **_intervals(figures, k), "retrievers": retrievers}


def _intervals(figures: Mapping[str, Any], k: int) -> dict[str, Any]:
    name = f"map_at_{k}_interval"
    return {name: {method: {"low": low, "high": high} for method, (low, high) in figures[name].items()}}


def _sampled(lists: Path, store: Store, engine: Engine) -> str:
    """Return the lists of the first customers as CSV: customer_id and the articles, the best first."""
    table = scan_table(lists)
    some = table.select("customer").unique().sort("customer").head(SAMPLE)
    rows = engine.collect(table.join(some, on="customer", how="semi").sort("customer", "rank"))
    named = Ids(store, engine).named(rows.select("customer", "rank", "article"))
    by_customer = named.group_by("customer_id", maintain_order=True).agg(articles=pl.col("article_id").str.join(" "))
    return by_customer.write_csv()


def _folds_entry(config: Config, verb: str, found: Mapping[str, Any], file: Path) -> Entry:
    k = list_length(found["all"])
    folds, name = found["folds"], f"map_at_{k}"
    return Entry(
        name=file.stem,
        tags={"verb": verb, "weeks": f"{folds[0]['week']} to {folds[-1]['week']}"},
        settings=settings_told(config.settings()),
        figures={**found["all"], **_intervals(found["all"], k)},
        curves={f"weeks/{name}/{method}": [fold[name][method] for fold in folds] for method in found["all"][name]},
        files=[file.with_suffix(".html"), file],
    )
