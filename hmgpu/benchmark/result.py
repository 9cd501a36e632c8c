"""A benchmark's result: the table for a reader, and the file that also describes machine, data and settings."""

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from hmgpu.benchmark.timing import Measurement
from hmgpu.core.files import write_result
from hmgpu.core.machine import machine, versions


@dataclass(frozen=True)
class Result:
    """All that one benchmark measured in one run."""

    benchmark: str
    measurements: Sequence[Measurement]
    agreement: Mapping[str, str]
    """How the results were compared, and how far apart they were."""
    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    absent: Mapping[str, str] = field(default_factory=dict)
    """Contenders that could not run, with the reason."""

    def table(self) -> Table:
        """Return the table, a row a contender: speeds are medians, the last columns compare runs side by side."""
        repeats = len(next(iter(self.measurements[0].seconds.values())))
        title = f"hmgpu benchmark {self.benchmark}, medians of {repeats}"
        table = Table("what", "contender", title=title, caption="; ".join(self.agreement.values()))
        for name in ("rows", "seconds", "rows/s", "times as fast", "least to most"):
            table.add_column(name, justify="right")
        remembered = any(each.memory_mib for each in self.measurements)
        if remembered:
            table.add_column("MiB", justify="right")
        moved = any(each.column_bytes for each in self.measurements)
        if moved:
            table.add_column("of bandwidth", justify="right")
        for each in self.measurements:
            for name, seconds in each.seconds.items():
                ratios = each.times_faster(name)
                compared = ["1", ""]
                if name != each.against:
                    compared = [f"{median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"]
                rows, speed = f"{each.rows:,} {each.unit}", f"{each.rows_per_second(name):,.0f}"
                cells = [each.what, name, rows if each.unit else "", f"{median(seconds):.3f}"]
                cells += [speed if each.unit else "", *compared]
                if remembered:
                    cells.append(f"{each.memory_mib[name]:,.0f}" if name in each.memory_mib else "")
                if moved:
                    share = each.share_of_bandwidth(name)
                    cells.append("" if share is None else f"{share:.1%}")
                table.add_row(*cells)
            table.add_section()
        for name, reason in self.absent.items():
            table.add_row("all", name, "", reason)
        return table

    def as_json(self, command: str) -> dict[str, Any]:
        """Return everything measured, with the machine, the versions, the settings and the data."""
        return {
            "benchmark": self.benchmark,
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "command": command,
            "machine": machine(),
            # Other work on the same cores slows all contenders, so the result shows how busy the machine was.
            "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
            "versions": versions(),
            "settings": dict(self.settings),
            "data": dict(self.data),
            "agreement": dict(self.agreement),
            "absent": dict(self.absent),
            "measurements": [_facts(each) for each in self.measurements],
        }

    def write(self, file: Path, command: str) -> None:
        """Write `as_json` into `file`. Raises ConfigError where that holds the result of another command."""
        write_result(file, self.as_json(command), ("benchmark", "command"))


def _facts(measurement: Measurement) -> dict[str, Any]:
    contenders = dict[str, dict[str, Any]]()
    for name, seconds in measurement.seconds.items():
        ratios = measurement.times_faster(name)
        contenders[name] = {
            "seconds": [round(each, 6) for each in seconds],
            "median_seconds": median(seconds),
            "rows_per_second": measurement.rows_per_second(name),
            "times_as_fast": {"median": median(ratios), "least": min(ratios), "most": max(ratios)},
        }
        if name in measurement.memory_mib:
            contenders[name]["memory_mib"] = measurement.memory_mib[name]
        if (share := measurement.share_of_bandwidth(name)) is not None:
            contenders[name]["share_of_bandwidth"] = share
    return {
        "what": measurement.what,
        "rows": measurement.rows,
        "unit": measurement.unit,
        "against": measurement.against,
        "contenders": contenders,
        **({} if measurement.column_bytes is None else {"column_bytes": measurement.column_bytes}),
    }
