"""Write the page of all retrains: MAP@k over the weeks, how each ended and why."""

from collections.abc import Collection, Mapping, Sequence

from hmgpu.core.html.blocks import Grid, Section, count, score
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.marks import Badge, Cell, Link, Tone
from hmgpu.core.html.page import page
from hmgpu.core.words import counted
from hmgpu.evaluation.method_names import BASELINES, OWN_PAST
from hmgpu.retrain.checks import Check
from hmgpu.retrain.record import Outcome, Record

LEAD = (
    "Each retrain judged three kinds of lists on the last complete week of its data, for the same customers, all made "
    "without having seen the week: those of the new run, those of the then current run, and the baseline own past "
    "+ best sellers (what a customer bought before, then last week's best sellers). The current run's lists are those "
    "that it had served, if its data ended before the week; those that it was evaluated by, if the week was its "
    "validation week; "
    "else those of its settings, fitted again on the weeks before (refitted). p: how often chance alone makes a "
    "difference as large. Outcomes: promoted (the new run became the current one), kept "
    "(the current run stayed), refused (the new data were not added), unchanged (there were no new data), failed. The "
    "chart has the judged weeks."
)
CHECKS = "The newest week of data in the last retrain, compared with the weeks before it."

TONES: Mapping[Outcome, Tone] = {
    "promoted": "good",
    "kept": "calm",
    "refused": "bad",
    "unchanged": "calm",
    "failed": "bad",
}


def history_page(retrains: Sequence[Record], reported: Collection[str] = ()) -> str:
    """Return `retrains.html`: see `history_sections`."""
    sections = history_sections(retrains, reported)
    return page("Retrains", f"{counted(len(retrains), 'retrain')}, the newest first.", sections)


def history_sections(retrains: Sequence[Record], reported: Collection[str] = ()) -> list[Section]:
    """Return a chart, a row for every retrain, newest first, and the checks of the last one.

    Args:
        reported: names of the runs that are still there with their report, which the page leads to.
    """
    served = served_runs(retrains)
    judged = [record for record in retrains if record.figures]
    weeks = [record.figures["week"] for record in judged]
    series = {
        name: [record.figures.get(key) for record in judged]
        for name, key in (("new run", "new"), ("current run", "current"), (BASELINES[OWN_PAST], "baseline"))
    }
    scores = ("MAP@k new", "MAP@k current", "its lists", "p", "MAP@k baseline")
    headings = ["started (UTC)", "data up to", "outcome", "new run", *scores, "customers", "why"]
    rows: list[list[Cell]] = [
        [
            record.started[:16].replace("T", " "),
            record.last_day or "–",
            Badge(record.outcome, TONES[record.outcome]),
            _run(record, reported, served),
            score(record.figures.get("new")),
            score(record.figures.get("current")),
            record.figures.get("current_lists", "–"),
            _p_value(record),
            score(record.figures.get("baseline")),
            count(record.figures["customers"]) if record.figures else "–",
            record.reason,
        ]
        for record in reversed(retrains)
    ]
    blocks = [Grid("Retrains", headings, rows, numbers=False)]
    chart = [Lines("MAP@k", "week", weeks, series, text=score)] if judged else []
    sections = [Section("History", LEAD, [*chart, *blocks])]
    checks = [Check(**check) for check in retrains[-1].checks] if retrains else []
    if checks:
        cells: list[list[Cell]] = [
            [
                check.name,
                check.shown(check.value),
                check.shown(check.usual),
                check.limit,
                Badge("passed", "good") if check.passed else Badge("BROKEN", "bad"),
            ]
            for check in checks
        ]
        grid = Grid("Checks of the data", ["figure", "now", "usually", "limit", ""], cells, numbers=False)
        sections.append(Section("Data", CHECKS, [grid]))
    return sections


def served_runs(retrains: Sequence[Record]) -> Mapping[str, Badge]:
    """Return badges for the runs that the retrains promoted last and before that, by name.

    A promotion or rollback by hand since then is not in the records: `index.html` next to the page has what is current.
    """
    promoted = list(dict.fromkeys(r.run for r in reversed(retrains) if r.outcome == "promoted" and r.run))
    badges = (Badge("promoted last", "good"), Badge("before it"))
    return dict(zip(promoted, badges, strict=False))


def _run(record: Record, reported: Collection[str], served: Mapping[str, Badge]) -> Cell:
    if not record.run:
        return "–"
    badges = tuple(badge for run, badge in served.items() if run == record.run)
    return Link(record.run, f"{record.run}/report.html" if record.run in reported else None, badges)


def _p_value(record: Record) -> str:
    over = record.figures.get("over_current")
    return f"{over['p_value']:.4f}" if over else "–"
