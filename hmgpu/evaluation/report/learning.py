"""What the ranker learned: its metric after every tree, and what its trees gained by which columns."""

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
    "The metric is taken on the watched lists of the validation week after every tree; the trees up to its best value "
    "are kept. A column's gain is what splits on it took off the loss, as a share of what all splits did. It tells "
    "what the trees used, not what would be lost without it."
)


def learning(week: Evaluated) -> Section:
    """Curve and gains of the trees, or of each of two rankers in a row; empty for a ranker without trees."""
    blocks: list[object] = []
    for folder in sorted({file.parent for file in week.model_files.rglob(CURVE_FILE)}):
        # `first` and `then` of a cascade; nothing for a ranker alone.
        which = " ".join(folder.relative_to(week.model_files).parts)
        prefix = f"Ranker {which}: " if which else ""
        blocks += _of(folder, prefix, week)
    return Section("Learning", EXPLAINED, blocks)


def _of(folder: Path, prefix: str, week: Evaluated) -> list[object]:
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
