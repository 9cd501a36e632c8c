"""Compute what parts and settings are worth, from evaluations of the pipeline with one thing changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from rich.table import Table

from hmgpu.core.certainty import intervals
from hmgpu.core.list_length import list_length
from hmgpu.core.printed import figures_table

PARTS = ("retrievers", "features")
CHOOSING = ("retrievers", "candidates")  # sections whose variants have other candidates
VariantName = tuple[str, str]  # section and name: a retriever and a feature may have one name


@dataclass(frozen=True)
class Scored:
    """The evaluation of one week."""

    metrics: Mapping[str, Any]
    """The content of `metrics.json`."""
    precisions: pl.DataFrame
    """(customer, ranker): the average precision of the ranker's list for each customer who bought."""


@dataclass(frozen=True)
class Ablation:
    """The evaluations of one week, with all parts and settings and with one of them changed at a time."""

    full: Scored
    reseeded: Scored
    """The full pipeline with another seed: what luck alone changes."""
    changed: Mapping[VariantName, Scored]
    """Without a part, or with another value of a setting."""
    impossible: Mapping[VariantName, str]
    """The changes that are impossible, and why."""


def contributions(weeks: Sequence[Ablation]) -> dict[str, Any]:
    """Return the content of `ablation.json`: the full pipeline, the parts, the one that adds most first, and settings.

    `adds` is the full pipeline's MAP@k minus the changed one's: positive where a part helps, or where another setting
    is worse; `low` and `high` are its interval (`certainty.intervals`). `reseeded` has the same for the full pipeline
    with another seed, one sample of how much luck moves a figure. Where candidates change, the recall of all `merged`
    is compared likewise. Figures are over the buyers of all weeks; recalls are means over the weeks, weighted by
    buyers.
    """
    fulls = [week.full for week in weeks]
    full = _pooled(fulls)
    impossible = {name: why for week in weeks for name, why in week.impossible.items()}
    parts, settings = list[dict[str, Any]](), list[dict[str, Any]]()
    for section, name in dict.fromkeys(name for week in weeks for name in (*week.changed, *week.impossible)):
        row: dict[str, Any] = {"part" if section in PARTS else "value": name, "section": section}
        if (section, name) in impossible:
            row["impossible"] = impossible[section, name]
        else:
            scored = [week.changed[section, name] for week in weeks]
            row |= _difference(fulls, scored)
            if section in CHOOSING:
                changed = _pooled(scored)
                row |= {f"adds_{recall}": full[recall] - changed[recall] for recall in ("recall_at_100", "recall")}
                row["candidates_a_customer"] = changed["candidates_a_customer"]
        (parts if section in PARTS else settings).append(row)
    parts.sort(key=_place)
    reseeded = _difference(fulls, [week.reseeded for week in weeks])
    days = [week.metrics["week"] for week in fulls]
    return {"weeks": days, "full": full, "reseeded": reseeded, "parts": parts, "settings": settings}


def joined(found: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return `found` with the rows that `before`, an earlier result, has of sections that `found` lacks.

    Results of another pipeline, whose full figures differ, add nothing.
    """
    if any(found[key] != before[key] for key in ("weeks", "full", "reseeded")):
        return dict(found)
    measured = {row["section"] for row in (*found["parts"], *found["settings"])}
    parts, settings = (
        [*found[key], *(row for row in before[key] if row["section"] not in measured)] for key in ("parts", "settings")
    )
    return {**found, "parts": sorted(parts, key=_place), "settings": settings}


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what sorts parts: the one that adds most first, those that can't be left out last."""
    return "impossible" in row, -row.get("adds", 0), row["section"], row["part"]


def _difference(full: Sequence[Scored], other: Sequence[Scored]) -> dict[str, float]:
    """Return MAP@k of `other`, and by how much and how surely `full` is ahead of it."""
    name = f"map_at_{list_length(full[0].metrics)}"
    score = _pooled(other)[name]
    low, high = intervals(_gains(full, other))["gain"]
    return {name: score, "adds": _pooled(full)[name] - score, "low": low, "high": high}


def _pooled(weeks: Sequence[Scored]) -> dict[str, Any]:
    customers = [week.metrics["customers"] for week in weeks]
    precisions = pl.concat([week.precisions["ranker"] for week in weeks])
    merged = [week.metrics["retrievers"]["merged"] for week in weeks]
    figures = ("recall_at_100", "recall", "candidates_a_customer")
    return {
        "customers": sum(customers),
        f"map_at_{list_length(weeks[0].metrics)}": float(precisions.mean()),  # type: ignore[arg-type]
        **{name: float(np.average([week[name] for week in merged], weights=customers)) for name in figures},
    }


def _gains(full: Sequence[Scored], other: Sequence[Scored]) -> pl.DataFrame:
    """Return (customer, gain): `full`'s average precision minus `other`'s, one row per customer and week."""
    weeks = [
        more.precisions.join(less.precisions, on="customer", suffix="_other", validate="1:1")
        for more, less in zip(full, other, strict=True)
    ]
    return pl.concat(weeks).select("customer", gain=pl.col("ranker") - pl.col("ranker_other"))


def contribution_table(found: Mapping[str, Any]) -> Table:
    """Return a table of how far the full pipeline is ahead of each changed one; faint where the interval holds 0."""
    full, weeks = found["full"], found["weeks"]
    span = f"week {weeks[0]}" if len(weeks) == 1 else f"weeks {weeks[0]} to {weeks[-1]}"
    k = list_length(full)
    table = figures_table(
        f"The pipeline with one thing changed, {full['customers']:,} customers, {span}",
        ["change"],
        [f"MAP@{k}", "full is\nahead", "95 %", "recall\n@100", "recall", "number"],
        "recall: how much more of it the full pipeline has; number: candidates a customer; "
        "faint: the 95 % interval holds 0, so the change may be chance",
    )
    recalls = (f"{full['recall_at_100']:.4f}", f"{full['recall']:.4f}", f"{full['candidates_a_customer']:.1f}")
    table.add_row("nothing", f"{full[f'map_at_{k}']:.5f}", "", "", *recalls, style="bold")
    table.add_row("the seed", *_cells(found["reseeded"]), style="italic")
    for what, rows in (("without {section}.{part}", found["parts"]), ("{section} {value}", found["settings"])):
        table.add_section()
        for row in rows:
            _add_row(table, what.format_map(row), row)
    return table


def _add_row(table: Table, name: str, row: Mapping[str, Any]) -> None:
    if "impossible" in row:
        table.add_row(name, "impossible", style="dim")
        return
    cells = _cells(row)
    if row["section"] in CHOOSING:
        cells += [f"{row['adds_recall_at_100']:+.4f}", f"{row['adds_recall']:+.4f}"]
        cells.append(f"{row['candidates_a_customer']:.1f}")
    table.add_row(name, *cells, style="dim" if row["low"] <= 0 <= row["high"] else "")


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        f"{row[f'map_at_{list_length(row)}']:.5f}",
        f"{row['adds']:+.5f}",
        f"{row['low']:+.5f}\n{row['high']:+.5f}",
    ]
