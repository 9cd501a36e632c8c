"""Show the runs of a folder as a log of experiments: what each achieved, and what was set differently."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from hmgpu.runs.inventory import ListedRun

FEW = 4  # settings shown of a run, unless all are asked for
LONG = 60  # signs of a value


def runs_table(listed: Sequence[ListedRun]) -> Table:
    """Return what the runs achieved, the current one bold: 76 columns wide at most, and never narrower."""
    ks = {run.k for run in listed if run.k}
    table = _table("Runs", "week: the one that it was evaluated on; 95 %: the score's interval")
    for heading in ("run", "created", "week"):
        table.add_column(heading, no_wrap=True)
    for heading in (f"MAP@{ks.pop()}" if len(ks) == 1 else "MAP@k", "95 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for run in listed:
        score = "–" if run.score is None else f"{run.score:.5f}"
        interval = "–" if run.interval is None else "{:.5f}–{:.5f}".format(*run.interval)
        cells = (run.folder.name, f"{run.created:%Y-%m-%d}", run.week or "–", score, interval, run.state)
        table.add_row(*cells, style="bold" if run.current else "")
    return table


def settings_table(listed: Sequence[ListedRun], details: bool = False) -> Table:
    """Return when and with which config each run was started, and what was set differently from the config `base`.

    Args:
        details: whether all of these settings are shown, instead of the first few.
    """
    table = _table("Set differently from the config base", None)
    table.add_column("run", no_wrap=True)
    table.add_column("created (UTC)", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("config: settings", overflow="fold")
    for run in listed:
        created, size = f"{run.created:%Y-%m-%d %H:%M}", f"{run.bytes / 1e6:,.0f}"
        table.add_row(run.folder.name, created, size, _settings(run, details), style="bold" if run.current else "")
    return table


def as_json(listed: Sequence[ListedRun]) -> list[dict[str, Any]]:
    """Return what is listed of each run, as JSON can hold it."""
    names = ("config", "changed", "state", "week", "k", "score", "interval", "promoted", "bytes", "last_day")
    return [
        {"run": str(run.folder), "created": run.created.isoformat(timespec="seconds")}
        | {name: getattr(run, name) for name in names}
        for run in listed
    ]


def _settings(run: ListedRun, details: bool) -> str:
    if run.changed is None:
        return "–"
    shown = list(run.changed.items())[: None if details else FEW]
    more = [f"and {len(run.changed) - len(shown)} more (--details)"] if len(shown) < len(run.changed) else []
    lines = [f"{key}={_value(value, details)}" for key, value in shown] + more
    return "\n".join([f"{run.config or '–'}:", *lines] if lines else [run.config or "base"])


def _value(value: Any, details: bool) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if details or len(text) <= LONG:
        return text
    return f"{{{', '.join(value)}}}" if isinstance(value, Mapping) else f"{text[:LONG]}…"


def _table(title: str, caption: str | None) -> Table:
    # One space between columns and no frame: so all numbers fit into 80 columns.
    return Table(title=title, caption=caption, box=box.SIMPLE_HEAD, padding=0, show_edge=False)
