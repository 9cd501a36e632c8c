"""The picture of `hmgpu benchmark features`: seconds by size, and how many times as fast as pandas by family.

The only file that needs matplotlib. It draws from a result file, so that a picture can be made again without measuring.
"""

import importlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hmgpu.errors import HmgpuError

Points = list[tuple[int, float]]
WIDTH, HEIGHT = 12, 5  # inches
BAR = 0.8  # of the distance between families, shared by the contenders


class PlotError(HmgpuError):
    """Nothing is there to draw with."""


def require_matplotlib() -> None:
    """Raises PlotError where matplotlib is missing; asked before a long measurement, not after it."""
    if importlib.util.find_spec("matplotlib") is None:
        raise PlotError("A plot needs matplotlib, which isn't installed: pip install matplotlib, or add --no-plot.")


def plot(file: Path, whole: str) -> Path:
    """Draws the result in the JSON `file`; returns the SVG, which is beside it.

    Args:
        whole: what the measurements of everything together are called; the others are families.

    Raises PlotError where matplotlib is missing.
    """
    require_matplotlib()
    result = json.loads(file.read_text())
    matplotlib, figures = map(importlib.import_module, ("matplotlib", "matplotlib.figure"))
    figure = figures.Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_seconds(left, seconds_by_size(result["measurements"], whole), whole)
    _draw_ratios(right, ratios_by_family(result["measurements"]), result["measurements"][-1]["against"])
    figure.suptitle(_on(result), fontsize="small")
    picture = file.with_suffix(".svg")
    with matplotlib.rc_context({"svg.hashsalt": "hmgpu"}):  # the same figures make the same bytes
        figure.savefig(picture, metadata={"Date": None})
    return picture


def seconds_by_size(measurements: Sequence[Mapping[str, Any]], whole: str) -> dict[str, Points]:
    """Of each contender (rows, median seconds) of everything together, by rows."""
    lines = dict[str, Points]()
    for each in measurements:
        if each["what"] == whole:
            for name, facts in each["contenders"].items():
                lines.setdefault(name, []).append((each["rows"], facts["median_seconds"]))
    return {name: sorted(points) for name, points in lines.items()}


def ratios_by_family(measurements: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Of each contender but the one that is compared with, by family, how many times as fast, at the largest size."""
    most = max(each["rows"] for each in measurements)
    bars = dict[str, dict[str, float]]()
    for each in measurements:
        if each["rows"] == most:
            for name, facts in each["contenders"].items():
                if name != each["against"]:
                    bars.setdefault(name, {})[each["what"]] = facts["times_as_fast"]["median"]
    return bars


def _draw_seconds(axes: Any, lines: Mapping[str, Points], whole: str) -> None:
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="transactions before the cutoff", ylabel="seconds", title=whole)
    axes.grid(which="both", alpha=0.3)
    axes.legend()


def _draw_ratios(axes: Any, bars: Mapping[str, Mapping[str, float]], against: str) -> None:
    families = list(next(iter(bars.values())))
    thickness = BAR / len(bars)
    for number, (name, ratios) in enumerate(bars.items()):
        places = [place + (number + 0.5) * thickness - BAR / 2 for place in range(len(families))]
        axes.barh(places, [ratios[family] for family in families], thickness, label=name)
    axes.axvline(1.0, color="black", linewidth=1)  # left of it, pandas is faster
    axes.set_yticks(range(len(families)), families)
    axes.invert_yaxis()
    axes.set(xlabel=f"times as fast as {against}", title="largest size, by family")
    axes.grid(axis="x", alpha=0.3)
    axes.legend()


def _on(result: Mapping[str, Any]) -> str:
    """What it was measured on, and who couldn't take part."""
    machine = result["machine"]
    said = f"{machine['cpu']}, {machine['threads']} threads, {machine['memory_gib']} GiB; GPU: {machine['gpu']}"
    return "\n".join([said, *(f"absent: {name}" for name in result["absent"])])
