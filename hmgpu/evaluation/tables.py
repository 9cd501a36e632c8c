"""A week's figures as tables for the terminal; the page of a run is in `report/`."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

FIGURES = ("ndcg_at_12", "hit_rate_at_12", "precision_at_12", "coverage")


def retriever_table(metrics: Mapping[str, Any]) -> Table:
    """Recall and positive rate of every retriever."""
    table = Table(title=f"Candidates for the {metrics['customers']:,} customers who bought in week {metrics['week']}")
    depths = [name for name in metrics["retrievers"]["merged"] if name.startswith("recall_at_")]
    headings = [name.replace("_at_", "@") for name in depths]
    for heading in ("retriever", "a customer", *headings, "recall", "positive rate"):
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
    """MAP@12 and its companions of the ranker and of what it must beat, over all buyers; MAP@12 by segment."""
    segments = metrics["segments"]
    table = Table(title=f"Twelve articles a customer, week {metrics['week']}")
    table.add_column("method")
    for heading in ("MAP@12", "NDCG@12", "hit rate@12", "precision@12", "coverage"):
        table.add_column(heading, justify="right")
    for name, segment in segments.items():
        table.add_column(f"MAP@12 {name}\n({segment['customers']:,})", justify="right")
    for method, value in metrics["map_at_12"].items():
        others = (metrics[name][method] for name in FIGURES)
        by_segment = (segment["map_at_12"][method] for segment in segments.values())
        table.add_row(method.replace("_", " + "), *(f"{figure:.5f}" for figure in (value, *others, *by_segment)))
    return table
