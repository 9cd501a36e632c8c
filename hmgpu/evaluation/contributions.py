"""What each part adds to the full line, from what evaluations with and without it have left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from rich.table import Table

from hmgpu.evaluation.certainty import intervals

PartName = tuple[str, str]  # section and name: both sections may use one name


@dataclass(frozen=True)
class Scored:
    """What one evaluation of one week left."""

    metrics: Mapping[str, Any]
    """The content of `metrics.json`."""
    precisions: pl.DataFrame
    """(customer, ranker): the average precision of the ranker's list for everybody who bought."""


@dataclass(frozen=True)
class Ablation:
    """One week with all parts, and without each."""

    full: Scored
    reseeded: Scored
    """All parts again with another seed: what luck alone changes."""
    without: Mapping[PartName, Scored]
    needed: Mapping[PartName, str]
    """Parts without which nothing can be made, and why."""


def contributions(weeks: Sequence[Ablation]) -> dict[str, Any]:
    """The content of `ablation.json`: the full line, then every part, the one that adds most first.

    `adds` is MAP@12 of the full line less that of the line without the part: positive where the part helps; `low` and
    `high` are its interval (`certainty.intervals`). `reseeded` has the same for the full line with another seed, which
    is one draw of how much luck moves a figure. Retrievers also have what they add to the merged candidates' recall.
    All is over the buyers of all weeks; recalls are means over the weeks, weighted by buyers.
    """
    fulls = [week.full for week in weeks]
    full = _pooled(fulls)
    needed = {part: why for week in weeks for part, why in week.needed.items()}
    rows = list[dict[str, Any]]()
    for part in (part for part in weeks[0].without if part not in needed):
        section, name = part
        scored = [week.without[part] for week in weeks]
        row = {"part": name, "section": section, **_difference(fulls, scored)}
        if section == "retrievers":
            without = _pooled(scored)
            row |= {f"adds_{recall}": full[recall] - without[recall] for recall in ("recall_at_100", "recall")}
            row["candidates_a_customer"] = without["candidates_a_customer"]
        rows.append(row)
    rows.sort(key=lambda row: (-row["adds"], row["section"], row["part"]))
    rows += [{"part": name, "section": section, "needed": why} for (section, name), why in needed.items()]
    reseeded = _difference(fulls, [week.reseeded for week in weeks])
    return {"weeks": [week.metrics["week"] for week in fulls], "full": full, "reseeded": reseeded, "parts": rows}


def _difference(full: Sequence[Scored], other: Sequence[Scored]) -> dict[str, float]:
    """MAP@12 of `other`, and by how much and how surely `full` is ahead of it."""
    score = _pooled(other)["map_at_12"]
    low, high = intervals(_gains(full, other))["gain"]
    return {"map_at_12": score, "adds": _pooled(full)["map_at_12"] - score, "low": low, "high": high}


def _pooled(weeks: Sequence[Scored]) -> dict[str, Any]:
    customers = [week.metrics["customers"] for week in weeks]
    precisions = pl.concat([week.precisions["ranker"] for week in weeks])
    merged = [week.metrics["retrievers"]["merged"] for week in weeks]
    figures = ("recall_at_100", "recall", "candidates_a_customer")
    return {
        "customers": sum(customers),
        "map_at_12": float(precisions.mean()),  # type: ignore[arg-type]
        **{name: float(np.average([week[name] for week in merged], weights=customers)) for name in figures},
    }


def _gains(full: Sequence[Scored], other: Sequence[Scored]) -> pl.DataFrame:
    """(customer, gain): by how much `full` is ahead of `other` in average precision, a row a customer and week."""
    weeks = [
        more.precisions.join(less.precisions, on="customer", suffix="_other", validate="1:1")
        for more, less in zip(full, other, strict=True)
    ]
    return pl.concat(weeks).select("customer", gain=pl.col("ranker") - pl.col("ranker_other"))


def contribution_table(found: Mapping[str, Any]) -> Table:
    """The full line and what every part adds to it; faint where the interval holds 0."""
    full, weeks = found["full"], found["weeks"]
    span = f"week {weeks[0]}" if len(weeks) == 1 else f"weeks {weeks[0]} to {weeks[-1]}"
    table = Table(title=f"The ranker without each part, {full['customers']:,} customers, {span}")
    table.add_column("without")
    table.add_column("section")
    for heading in ("MAP@12", "part adds", "95 % interval", "adds recall@100", "adds recall", "candidates a customer"):
        table.add_column(heading, justify="right")
    recalls = (f"{full['recall_at_100']:.4f}", f"{full['recall']:.4f}", f"{full['candidates_a_customer']:.1f}")
    table.add_row("– (all parts)", "", f"{full['map_at_12']:.5f}", "", "", *recalls, style="bold")
    table.add_row("– (another seed)", "", *_cells(found["reseeded"]), style="italic")
    for row in found["parts"]:
        if "needed" in row:
            table.add_row(row["part"], row["section"], "needed", style="dim")
            continue
        cells = _cells(row)
        if row["section"] == "retrievers":
            cells += [f"{row['adds_recall_at_100']:+.4f}", f"{row['adds_recall']:+.4f}"]
            cells.append(f"{row['candidates_a_customer']:.1f}")
        table.add_row(row["part"], row["section"], *cells, style="dim" if row["low"] <= 0 <= row["high"] else "")
    return table


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['map_at_12']:.5f}", f"{row['adds']:+.5f}", f"{row['low']:+.5f} to {row['high']:+.5f}"]
