"""Show what the ranker learned: its metric after every tree, and how much its trees gained from each column."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from hmgpu.core.html.blocks import Bars, Section, share
from hmgpu.core.html.lines import Lines
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.parts.rankers.xgboost import CURVE_FILE, IMPORTANCES

MOST = 30  # columns shown
EXPLAINED = (
    "After every tree the metric is computed on candidates of the validation week; the trees up to its best value are "
    "kept. A column's gain is how much splits on it lowered the loss, as a share of what all splits achieved. It shows "
    "what the trees used, not what would be lost without the column."
)


def learning(week: Evaluated) -> Section:
    """Return the section with the trees' curve and gains, for each of two rankers in a row; empty without trees."""
    blocks: list[object] = []
    for folder in sorted({file.parent for file in week.model_files.rglob(CURVE_FILE)}):
        # `first` and `then` in a cascade, nothing for a single ranker.
        which = " ".join(folder.relative_to(week.model_files).parts)
        prefix = f"Ranker {which}: " if which else ""
        blocks += _blocks(folder, prefix, week)
    return Section("Learning", EXPLAINED, blocks)


def _blocks(folder: Path, prefix: str, week: Evaluated) -> list[object]:
    blocks: list[object] = []
    curve: dict[str, Any] = json.loads((folder / CURVE_FILE).read_text())
    if values := curve["validation"]:
        metric = curve["metric"].upper()
        trees = [str(number) for number in range(1, len(values) + 1)]
        title = f"{prefix}{metric} by tree; {curve['kept']:,} are kept"
        blocks.append(Lines(title, "tree", trees, {metric: values}, "{:.4f}".format, from_zero=False))
    gains: dict[str, float] = json.loads((folder / IMPORTANCES).read_text())
    total = sum(gains.values())
    by_family: dict[str, float] = defaultdict(float)
    for column, gain in gains.items():
        by_family[week.families.get(column, "other")] += gain
    families = sorted(by_family.items(), key=lambda item: (-item[1], item[0]))
    columns = [
        (f"{name} ({week.families[name]})" if name in week.families else name, gain) for name, gain in gains.items()
    ]
    for title, rows in (("Gain by part", families), (f"Gain by column, the first {MOST}", columns[:MOST])):
        if rows:
            blocks.append(Bars(prefix + title, [(name, gain / total, share(gain / total)) for name, gain in rows]))
    return blocks
