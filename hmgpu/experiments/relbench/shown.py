"""The table that `hmgpu relbench` prints."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from hmgpu.core.printed import figures_table


def entry_table(said: Mapping[str, Any]) -> Table:
    """Return each task's metrics in both weeks, and the test's as relbench's own code has them."""
    there = said["relbench"]
    table = figures_table(
        f"{said['dataset']}, {said['chosen']}",
        ["task", "metric"],
        ["rows", "validation", "test", "by relbench"],
        f"by relbench: of the test, by relbench {there}" if there else "relbench is not installed: its column is empty",
    )
    for name, task in said["tasks"].items():
        test = task["test"]
        for number, (metric, value) in enumerate(test["ours"].items()):
            theirs = (test["relbench"] or {}).get(metric)
            first = (name, f"{test['rows']:,}") if number == 0 else ("", "")
            cells = (
                f"{task['validation']['ours'][metric]:.5f}",
                f"{value:.5f}",
                "" if theirs is None else f"{theirs:.5f}",
            )
            table.add_row(first[0], metric, first[1], *cells)
    return table
