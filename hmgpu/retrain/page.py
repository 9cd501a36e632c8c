"""Write the page of all retrains: MAP@k over the weeks, how each ended and why."""

from collections.abc import Sequence

from hmgpu.core.html.blocks import Grid, Section, count, score
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.page import page
from hmgpu.retrain.record import Record

LEAD = (
    "Each retrain judged three kinds of lists on the last complete week of its data, for the same customers: those of "
    "the new run, those that the then current run had recommended, and the baseline repurchase + popularity (a "
    "customer's own articles again, then best sellers). Outcomes: promoted (the new run became the current one), kept "
    "(the current run stayed), refused (the new data were not added), unchanged (there were no new data), failed. The "
    "chart has the judged weeks."
)
CHECKS = "The newest week of data in the last retrain, compared with the weeks before it."


def history_page(retrains: Sequence[Record]) -> str:
    """Return `retrains.html`: a chart, a row for every retrain, oldest first, and the checks of the last one."""
    judged = [record for record in retrains if record.figures]
    weeks = [record.figures["week"] for record in judged]
    series = {
        name: [record.figures.get(key) for record in judged]
        for name, key in (("new run", "new"), ("current run", "current"), ("repurchase + popular", "baseline"))
    }
    scores = ("MAP@k new", "MAP@k current", "MAP@k baseline")
    headings = ["started (UTC)", "data up to", "outcome", "new run", *scores, "customers", "why"]
    rows = [
        [
            record.started,
            record.last_day or "–",
            record.outcome,
            record.run or "–",
            score(record.figures.get("new")),
            score(record.figures.get("current")),
            score(record.figures.get("baseline")),
            count(record.figures["customers"]) if record.figures else "–",
            record.reason,
        ]
        for record in retrains
    ]
    blocks = [Grid("Retrains", headings, rows, numbers=False)]
    chart = [Lines("MAP@k", "week", weeks, series, text=score)] if judged else []
    sections = [Section("History", LEAD, [*chart, *blocks])]
    checks = retrains[-1].checks if retrains else []
    if checks:
        cells = [
            [
                check["name"],
                f"{check['value']:.4g}",
                "–" if check["usual"] is None else f"{check['usual']:.4g}",
                check["limit"],
                "passed" if check["passed"] else "BROKEN",
            ]
            for check in checks
        ]
        grid = Grid("Checks of the data", ["figure", "now", "usually", "limit", ""], cells, numbers=False)
        sections.append(Section("Data", CHECKS, [grid]))
    return page("Retrains", f"{len(retrains)} retrains.", sections)
