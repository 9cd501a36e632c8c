"""Show what every part adds and what other settings would give: an ablation as a section of a page, or as a page."""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.html.blocks import Grid, Section, count, score, share
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.page import page
from hmgpu.core.list_length import list_length

EXPLAINED = (
    "The pipeline with one thing changed, run and fitted again, for the same {} customers. “Ahead” is by how much "
    "MAP@{} of the full pipeline is higher, which is what a part adds; changes in bold have a 95 % interval that does "
    "not hold 0. Another seed shows how much luck alone moves the figure. Recall is the recall of all retrievers "
    "together."
)
HEADINGS = ("ahead", "95 % interval", "in recall@100", "in recall", "candidates per customer")
RECALLS = ("adds_recall_at_100", "adds_recall")
Row = Mapping[str, Any]


def ablation(found: Mapping[str, Any]) -> Section:
    """Return the section about an `ablation.json`, in its order: the part that adds most comes first."""
    parts = {f"{row['section']}.{row['part']}": row for row in found["parts"]}
    settings = {f"{row['section']}: {row['value']}": row for row in found["settings"]}
    blocks: list[object] = []
    k = list_length(found["full"])
    for title, rows in (("Without one part", parts), ("With one setting changed", settings)):
        scored = {name: row for name, row in rows.items() if "impossible" not in row}
        if scored:
            cells = [*_unchanged(found), *([name, *_cells(row)] for name, row in scored.items())]
            sure = frozenset(name for name, row in scored.items() if not row["low"] <= 0 <= row["high"])
            worth = [(name, row["adds"], (row["low"], row["high"])) for name, row in scored.items()]
            dots = f"{title}: by how much the full pipeline's MAP@{k} is ahead, and its 95 % interval"
            blocks.append(Dots(dots, worth, "{:+.5f}".format, strong=sure))
            blocks.append(Grid(title, ["change", f"MAP@{k}", *HEADINGS], cells, strong=sure))
    refused = [[name, row["impossible"]] for name, row in (parts | settings).items() if "impossible" in row]
    if refused:
        blocks.append(Grid("Impossible changes", ["change", "why"], refused, numbers=False))
    return Section("Ablation", EXPLAINED.format(count(found["full"]["customers"]), k), blocks)


def ablation_page(found: Mapping[str, Any]) -> str:
    """Return a page of its own, for an ablation over several weeks."""
    about = f"Weeks from {', '.join(found['weeks'])}, each scored by rankers that were fitted and stopped before it."
    return page("What parts and settings are worth", about, [ablation(found)])


def _unchanged(found: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of the full pipeline and of another seed."""
    full, k = found["full"], list_length(found["full"])
    recalls = [share(full["recall_at_100"]), share(full["recall"])]
    return [
        [
            "the full pipeline",
            score(full[f"map_at_{k}"]),
            "",
            "",
            *recalls,
            f"{full['candidates_a_customer']:.1f}",
        ],
        ["another seed", *_cells(found["reseeded"])],
    ]


def _cells(row: Row) -> list[str]:
    """Return all cells of a row but its name; those about candidates are empty where candidates don't change."""
    ahead = [
        score(row[f"map_at_{list_length(row)}"]),
        f"{row['adds']:+.5f}",
        f"{row['low']:+.5f} to {row['high']:+.5f}",
    ]
    if "candidates_a_customer" not in row:
        return [*ahead, "", "", ""]
    return [*ahead, *(f"{100 * row[name]:+.2f} %" for name in RECALLS), f"{row['candidates_a_customer']:.1f}"]
