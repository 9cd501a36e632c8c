"""Show a week's figures as tables in the terminal; the page of a run is in `report/`."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from hmgpu.core.metrics import list_length

COMPANIONS = ("ndcg", "hit_rate", "precision")


def retriever_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of every retriever's recall and positive rate."""
    table = Table(
        title=f"Candidates for the {metrics['customers']:,} customers who bought in week {metrics['week']}",
        caption="recall@k: share of all bought articles among the first k candidates (recall: among all); positive "
        "rate: share of the candidates that were bought; merged: all retrievers together",
    )
    depths = [name for name in metrics["retrievers"]["merged"] if name.startswith("recall_at_")]
    headings = [name.replace("_at_", "@") for name in depths]
    for heading in ("retriever", "per customer", *headings, "recall", "positive rate"):
        table.add_column(heading, justify="left" if heading == "retriever" else "right")
    for name, figures in metrics["retrievers"].items():
        recalls = (*(figures[depth] for depth in depths), figures["recall"], figures["positive_rate"])
        table.add_row(
            name,
            f"{figures['candidates_a_customer']:.1f}",
            *(f"{value:.4f}" for value in recalls),
            style="bold" if name == "merged" else "",
        )
    return table


def method_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table of MAP@k and its companions for the ranker and the methods that it must beat; MAP@k by segment."""
    segments, k = metrics["segments"], list_length(metrics)
    table = Table(
        title=f"{k} articles per customer, week {metrics['week']}",
        caption="popular: best sellers; order: candidates in the config's order of retrievers; ranker: the fitted "
        "model; in brackets: customers",
    )
    table.add_column("method")
    for heading in (f"MAP@{k}", f"NDCG@{k}", f"hit rate@{k}", f"precision@{k}", "coverage"):
        table.add_column(heading, justify="right")
    for name, segment in segments.items():
        table.add_column(f"MAP@{k} {name}\n({segment['customers']:,})", justify="right")
    for method, value in metrics[f"map_at_{k}"].items():
        others = (metrics[name][method] for name in (*(f"{each}_at_{k}" for each in COMPANIONS), "coverage"))
        by_segment = (segment[f"map_at_{k}"][method] for segment in segments.values())
        table.add_row(method.replace("_", " + "), *(f"{figure:.5f}" for figure in (value, *others, *by_segment)))
    return table
