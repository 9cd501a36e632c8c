"""What an ablation found, as a page: what each part adds to MAP@12, and what other settings change."""

from collections.abc import Mapping, Sequence
from typing import Any

from hmgpu.evaluation.contributions import CHOOSING
from hmgpu.report.blocks import Bars, Grid, Section, count, score, share
from hmgpu.report.page import page

EXPLAINED = (
    "Each part was left out, its candidates and columns with it, and the ranker was fitted again. What it adds is by "
    "how much MAP@12 is higher with it. Where the interval holds 0, the customers can't tell it from nothing; what "
    "another seed alone changes is luck of the fit, which the intervals don't know."
)
SETTINGS = "The line with another value of one setting: what is positive speaks for the value that the config has."
HEADINGS = ("MAP@12", "full is ahead", "95 % interval", "in recall@100", "in recall", "candidates a customer")


def ablation_page(found: Mapping[str, Any]) -> str:
    """The page of `found`, the content of `ablation.json`."""
    full, weeks = found["full"], found["weeks"]
    span = f"the week from {weeks[0]}" if len(weeks) == 1 else f"{len(weeks)} weeks, {weeks[0]} to {weeks[-1]}"
    about = f"Judged on {count(full['customers'])} lists of customers who bought, {span}."
    sections = [_parts(found), _settings(found)]
    return page("What every part adds", about, [section for section in sections if section.blocks])


def _parts(found: Mapping[str, Any]) -> Section:
    rows = [row for row in found["parts"] if "impossible" not in row]
    names = [f"{row['section']}.{row['part']}" for row in rows]
    # A bar can't be negative: what only costs has none, and its figure all the same.
    drawn = [(name, max(0.0, row["adds"]), _signed(row["adds"])) for name, row in zip(names, rows, strict=True)]
    grid = Grid("Without each part", ["without", *HEADINGS], _lines(found, "part"), strong=frozenset({"nothing"}))
    return Section("Parts", EXPLAINED, [Bars("What it adds to MAP@12", drawn), grid] if found["parts"] else [])


def _settings(found: Mapping[str, Any]) -> Section:
    lines = _lines(found, "value")
    grid = Grid("With another value", ["with", *HEADINGS], lines, strong=frozenset({"nothing"}))
    return Section("Settings", SETTINGS, [grid] if found["settings"] else [])


def _lines(found: Mapping[str, Any], what: str) -> list[list[str]]:
    """The full line, that with another seed, then those with one thing changed."""
    full, rows = found["full"], found["parts" if what == "part" else "settings"]
    recalls = [share(full["recall_at_100"]), share(full["recall"]), f"{full['candidates_a_customer']:.1f}"]
    lines = [["nothing", score(full["map_at_12"]), "", "", *recalls]]
    lines.append(["nothing, another seed", *_cells(found["reseeded"]), "", "", ""])
    for row in rows:
        name = f"{row['section']}.{row[what]}"
        lines.append([name, *_figures(row)])
    return lines


def _figures(row: Mapping[str, Any]) -> Sequence[str]:
    if "impossible" in row:
        return ["impossible", "", "", "", "", ""]
    if row["section"] not in CHOOSING:
        return [*_cells(row), "", "", ""]
    recalls = [f"{100 * row[f'adds_{name}']:+.1f} %" for name in ("recall_at_100", "recall")]
    return [*_cells(row), *recalls, f"{row['candidates_a_customer']:.1f}"]


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [score(row["map_at_12"]), _signed(row["adds"]), f"{_signed(row['low'])} to {_signed(row['high'])}"]


def _signed(number: float) -> str:
    return f"{number:+.5f}"
