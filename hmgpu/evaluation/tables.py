"""Show a week's figures as tables in a terminal of 80 columns; the page of a run is in `report/`."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from hmgpu.core.list_length import list_length
from hmgpu.core.printed import figures_table
from hmgpu.evaluation.method_names import shown_as

MERGED = "merged"
EXPLAINED = {
    "order": "candidates in the config's order of retrievers",
    "ranker": "the fitted model",
}


def main_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of MAP@k, its interval and the hit rate of the ranker and of the methods that it must beat."""
    k = list_length(metrics)
    means, ranges, hits = (metrics[name] for name in (f"map_at_{k}", f"map_at_{k}_interval", f"hit_rate_at_{k}"))
    table = figures_table(
        f"{k} articles a customer, week {metrics['week']}, {metrics['customers']:,} customers who bought",
        ["method"],
        [f"MAP@{k}", "95 %", f"hit rate@{k}"],
        "; ".join(f"{shown_as(method)}: {EXPLAINED[method]}" for method in means if method in EXPLAINED),
    )
    for method, value in means.items():
        low, high = ranges[method]
        cells = (f"{value:.5f}", f"{low:.5f}–{high:.5f}", f"{hits[method]:.5f}")
        table.add_row(shown_as(method), *cells, style="bold" if method == "ranker" else "")
    return table


def variety_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of how varied every method's lists are."""
    found = metrics["variety"]
    table = figures_table(
        "How varied the lists are",
        ["method"],
        [measure.replace("_", "\n") for measure in found],
        "novelty: bits an article; by fields and vectors: how far two articles of a list differ; popular: "
        "share of places with the best sellers that make up 80 % of sales; gini: 0 where "
        "all articles are listed alike; tail: share of the other articles that are on any list",
    )
    for method in metrics[f"map_at_{list_length(metrics)}"]:
        cells = (f"{values[method]:.3f}" for values in found.values())
        table.add_row(shown_as(method), *cells, style="bold" if method == "ranker" else "")
    return table


def detail_tables(metrics: Mapping[str, Any]) -> list[Table]:
    """Return tables of all other figures of the methods and of the candidates."""
    # Figures of older versions have neither.
    variety = [variety_table(metrics)] if "variety" in metrics else []
    ages = [age_table(metrics)] if "ages" in metrics else []
    tables = [companion_table(metrics), *variety, segment_table(metrics), *ages]
    return [*tables, retriever_table(metrics), candidates_table(metrics)]


def companion_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of every method's figures besides MAP@k and hit rate."""
    k = list_length(metrics)
    names = (f"ndcg_at_{k}", f"precision_at_{k}", "coverage")
    caption = "coverage: share of the articles on sale that are in any list"
    table = figures_table("Methods", ["method"], [f"NDCG@{k}", f"precision@{k}", "coverage"], caption)
    for method in metrics[f"map_at_{k}"]:
        table.add_row(shown_as(method), *(f"{metrics[name][method]:.5f}" for name in names))
    return table


def segment_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of every method's MAP@k by segment of customers."""
    segments, k = metrics["segments"], list_length(metrics)
    headings = [f"{name}\n({segment['customers']:,})" for name, segment in segments.items()]
    table = figures_table(
        f"MAP@{k} by customer segment",
        ["method"],
        headings,
        "active: bought in the last 28 days; lapsed: before that; new: never bought; in brackets: customers",
    )
    for method in metrics[f"map_at_{k}"]:
        cells = (f"{segment[f'map_at_{k}'][method]:.5f}" for segment in segments.values())
        table.add_row(shown_as(method), *cells)
    return table


def age_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of every method's MAP@k and of recall by the time since the bought articles were first sold."""
    ages, k = metrics["ages"], list_length(metrics)
    found = metrics["retrievers"][MERGED]["ages"]
    table = figures_table(
        f"MAP@{k} by the time since an article's first sale",
        ["method"],
        [f"{age}\n({figures['bought']:,})".replace("under ", "under\n") for age, figures in ages.items()],
        "only purchases of such articles count; recall: their share among all candidates; in brackets: purchases",
    )
    for method in metrics[f"map_at_{k}"]:
        table.add_row(shown_as(method), *(f"{figures[f'map_at_{k}'][method]:.5f}" for figures in ages.values()))
    table.add_row("recall", *(f"{found[age]['recall']:.4f}" for age in ages))
    return table


def retriever_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of every retriever's recall and positive rate."""
    rows = metrics["retrievers"]
    return _recall_table(f"Candidates, week {metrics['week']}", "retriever", rows, "merged: all retrievers together")


def candidates_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of what all retrievers together find for the customers of each segment."""
    rows = metrics["retrievers"][MERGED]["segments"]
    return _recall_table("Candidates of all retrievers together, by customer segment", "segment", rows, "")


def _recall_table(title: str, name: str, rows: Mapping[str, Mapping[str, Any]], also: str) -> Table:
    depths = [key for key in next(iter(rows.values()), {}) if key.startswith("recall_at_")]
    headings = ["number", *(key.replace("recall_at_", "@") for key in depths), "all", "bought"]
    explained = (
        "number: candidates a customer; @k: share of all bought articles among the first k (all: among all); "
        "bought: share of the candidates that were bought"
    )
    table = figures_table(title, [name], headings, "; ".join([explained, *([also] if also else [])]))
    for row, figures in rows.items():
        shares = (f"{figures[key]:.4f}" for key in (*depths, "recall", "positive_rate"))
        style = "bold" if row == MERGED else ""
        table.add_row(row, f"{figures['candidates_a_customer']:.1f}", *shares, style=style)
    return table
