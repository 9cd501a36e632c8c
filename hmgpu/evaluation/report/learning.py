"""Show what the ranker learned: a guard's trial, what `automl` tried, the metric by tree, what columns gained."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from hmgpu.core.html.blocks import Bars, Grid, Section, score, share
from hmgpu.core.html.lines import Lines
from hmgpu.core.words import counted
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.parts.models.rivals import RANKER
from hmgpu.parts.rankers.automl import FILE as AUTOML
from hmgpu.parts.rankers.guard import FILE
from hmgpu.parts.rankers.xgboost import CURVE_FILE, IMPORTANCES

MOST = 30  # columns shown
ENSEMBLE = "ensemble"
EXPLAINED = (
    "After every tree the metric is computed on candidates of the validation week; the trees up to its best value are "
    "kept. A column's gain is how much splits on it lowered the loss, as a share of what all splits achieved. It shows "
    "what the trees used, not what would be lost without the column."
)


def learning(week: Evaluated) -> Section:
    """Return the section with what a guard or `automl` found, and each ranker's curve and gains; empty without any."""
    blocks: list[object] = [_trial(file) for file in sorted(week.model_files.rglob(FILE))]
    blocks += [_search(file) for file in sorted(week.model_files.rglob(AUTOML))]
    for folder in sorted({file.parent for file in week.model_files.rglob(CURVE_FILE)}):
        # `first` and `then` in a cascade, nothing for a single ranker.
        which = " ".join(folder.relative_to(week.model_files).parts)
        prefix = f"Ranker {which}: " if which else ""
        blocks += _blocks(folder, prefix, week)
    return Section("Learning", EXPLAINED, blocks)


def _trial(file: Path) -> Grid:
    verdict = json.loads(file.read_text())["verdict"]
    values, ahead, weights = verdict["map_at_12"], verdict["ahead"], verdict["weights"]
    rows = []
    for name in values or weights:
        difference, low, high = ahead.get(name, (None, None, None))
        ranges = "" if difference is None else f"{difference:+.5f} ({low:+.5f} to {high:+.5f})"
        rows.append((name, score(values.get(name)), ranges, f"{weights.get(name, 0):.1f}"))
    title = f"Guard: a trial on {verdict['customers']:,} customers of the last training week, fitted on those before"
    headings = ("lists by", "MAP@12", "ranker ahead by (95 %)", "weight")
    return Grid(title, headings, rows, strong=frozenset({RANKER}))


def _search(file: Path) -> Grid:
    record = json.loads(file.read_text(encoding="utf-8"))["record"]
    members = {each["name"] for each in record["tried"] if each["weight"]}
    ordered = sorted(record["tried"], key=lambda each: (-each["weight"], -each["ndcg_at_50"], each["name"]))
    every = [{"name": ENSEMBLE, "weight": 1.0, **record["ensemble"]}, *ordered]
    rows = [
        (each["name"], score(each["map_at_12"]), score(each["ndcg_at_50"]), f"{each['weight']:.2f}") for each in every
    ]
    rows += [(kind, "", "", f"left out: {why}") for kind, why in record["left_out"].items()]
    weeks = counted(record["weeks"], "training week")
    title = (
        f"automl: {len(record['tried'])} models, judged on {record['customers']:,} lists with a purchase of the last "
        f"{weeks} and fitted on those before; the members of the ensemble were then fitted again on all"
    )
    return Grid(title, ("model", "MAP@12", "NDCG@50", "weight"), rows, strong=frozenset({ENSEMBLE, *members}))


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
