"""Write a run's model card: what it is, how good it is for whom, and what it isn't for, from its own files alone."""

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from hmgpu.core.certainty import intervals
from hmgpu.core.list_length import list_length
from hmgpu.core.parquet import read_table, scan_table
from hmgpu.core.words import counted
from hmgpu.data.article_ages import AGES
from hmgpu.evaluation.method_names import BASELINES, RANKER, shown_as
from hmgpu.evaluation.verdict import verdict
from hmgpu.pipeline.served_tables import ARTICLES, RECOMMENDATIONS
from hmgpu.serving.finished_run import METRICS, FinishedRun

CARD, PRECISIONS = "MODEL_CARD.md", "precisions.parquet"
LICENSE = "Apache-2.0"
FIRST_SOLD = dict(
    zip(
        AGES,
        (
            "never sold before the week",
            "first sold in the week before it",
            "first sold one to four weeks before it",
            "first sold earlier",
        ),
        strict=True,
    )
)
NOT_FOR = (
    "Another week: what sells changes by the week, so lists are for the one that they were made for.",
    "Another shop's articles and customers: ids that the data did not have get the best sellers, or nothing.",
    "Decisions about people, such as prices, credit or who may return what: it orders articles, nothing else.",
    "Saying why somebody buys, or what would sell if it were shown: it was fitted on what was bought.",
)


def model_card(run: FinishedRun) -> str:
    """Return the card as Markdown."""
    parts = [_what(run), _data(run), *_figures(run), _not_for(), _limits(run), _made_with(run)]
    return "\n\n".join([f"# Model card: {run.folder.name}", *(part for part in parts if part)]) + "\n"


def _what(run: FinishedRun) -> str:
    lists = scan_table(run.submitted.file(RECOMMENDATIONS)).select(pl.len(), pl.col("articles").list.len().max())
    customers, k = lists.collect().row(0)
    articles = read_table(run.submitted.file(ARTICLES)).height
    retrievers, features = (list(run.config.get(part) or ()) for part in ("retrievers", "features"))
    kind = (run.config.get("ranker") or {}).get("kind", "unknown")
    return _section(
        "What it is",
        [
            f"A recommender of fashion articles: {counted(k, 'article')} for each of {counted(customers, 'customer')}, "
            f"of {counted(articles, 'article')}, the likeliest to be bought in the week after the data first.",
            f"Candidates: {counted(len(retrievers), 'retriever')} ({', '.join(retrievers) or 'unknown'}).",
            f"Columns: {counted(len(features), 'feature family', 'feature families')} "
            f"({', '.join(features) or 'unknown'}).",
            f"Ranker: `{kind}`; its files are in `model/`.",
        ],
    )


def _data(run: FinishedRun) -> str:
    weeks, rows = run.config.get("weeks") or {}, [f"Last day of the data: {run.manifest.get('last_day', 'unknown')}."]
    if run.evaluated and isinstance(weeks.get("train"), int):
        week = _metrics(run)["week"]
        first = datetime.date.fromisoformat(week) - datetime.timedelta(weeks=weeks["train"])
        rows.append(
            f"Trained on {counted(weeks['train'], 'week')}, the first of which begins on {first}; stopped and "
            f"evaluated on the week that begins on {week}."
        )
        if weeks.get("refit"):
            rows.append(
                "The ranker that is exported was then fitted again with that week; the figures are of the one before."
            )
    rows.append(f"SHA-256 of the data: `{run.manifest.get('data', 'unknown')}`.")
    return _section("Data", rows)


def _figures(run: FinishedRun) -> Iterator[str]:
    if run.evaluated is None:
        yield _section("Figures", ["The run was not evaluated: `hmgpu evaluate` would say how good it is."])
        return
    metrics, precisions = _metrics(run), read_table(run.evaluated.file(PRECISIONS))
    k, columns = list_length(metrics), [name for name in precisions.columns if name not in ("customer", "segment")]
    groups = [("all", precisions), *sorted((str(name), of) for (name,), of in precisions.group_by("segment"))]
    rows = []
    for name, of in groups:
        means, ranges = of.select(columns).mean().row(0, named=True), intervals(of.select("customer", *columns))
        figures = (f"{means[each]:.4f} ({ranges[each][0]:.4f} to {ranges[each][1]:.4f})" for each in columns)
        rows.append([f"{name} ({of.height:,})", *figures])
    yield "\n\n".join(
        [
            "## Figures",
            f"MAP@{k} of the {counted(precisions.height, 'customer')} who bought in the week, with the 95 % interval "
            "over customers; next to it the baselines, and the candidates in the config's order.",
            _table(["customers", *map(shown_as, columns)], rows),
            verdict(metrics, precisions),
            _table(
                ["method", *(f"{name}@{k}" for name in ("NDCG", "hit rate", "precision")), "coverage"],
                [[shown_as(each), *(f"{metrics[name][each]:.4f}" for name in _others(k))] for each in columns],
            ),
        ]
    )


def _others(k: int) -> Sequence[str]:
    return (f"ndcg_at_{k}", f"hit_rate_at_{k}", f"precision_at_{k}", "coverage")


def _not_for() -> str:
    return _section("What it isn't for", NOT_FOR)


def _limits(run: FinishedRun) -> str:
    """Return what the run's own figures show of where it is weak."""
    rows = []
    if run.evaluated:
        metrics = _metrics(run)
        k = list_length(metrics)
        name = f"map_at_{k}"
        for segment, of in metrics["segments"].items():
            best = max((of[name][each], shown_as(each)) for each in BASELINES if each in of[name])
            if of[name][RANKER] < best[0]:
                rows.append(
                    f"For {segment} customers ({of['customers']:,}) it is behind {best[1]}: {of[name][RANKER]:.4f} "
                    f"against {best[0]:.4f}."
                )
        for age, of in metrics.get("ages", {}).items():
            rows.append(
                f"Of articles {FIRST_SOLD[age]}, bought {of['bought']:,} times, its MAP@{k} is {of[name][RANKER]:.4f}."
            )
        rows.append("One week, in one shop: intervals are over customers and say nothing of other weeks.")
    left_out: Mapping[str, str] = run.manifest.get("left_out") or {}
    rows += [f"`{name}` was left out: {why}." for name, why in left_out.items()]
    return _section("Limits", rows) if rows else ""


def _made_with(run: FinishedRun) -> str:
    manifest = run.manifest
    versions = manifest.get("versions") or {}
    return _section(
        "Made with",
        [
            f"Seed: {run.config.get('seed', 'unknown')}. Engine: {manifest.get('engine', 'unknown')}.",
            f"Versions: {', '.join(f'{name} {version}' for name, version in versions.items()) or 'unknown'}.",
            f"SHA-256 of hmgpu's code: `{manifest.get('code', 'unknown')}`.",
            f"License: hmgpu is {LICENSE}. Model, vectors and lists were made from the data, whose terms hold.",
        ],
    )


def _metrics(run: FinishedRun) -> dict[str, Any]:
    assert run.evaluated is not None
    found: dict[str, Any] = json.loads(run.evaluated.file(METRICS).read_text(encoding="utf-8"))
    return found


def _section(title: str, rows: Iterable[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {row}" for row in rows)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
