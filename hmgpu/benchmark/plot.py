"""The picture of a benchmark: seconds, by size where there are several, and how many times as fast, by work done.

Only this file needs matplotlib. It draws from a result file, so that a picture can be drawn again without measuring.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hmgpu.core.errors import HmgpuError
from hmgpu.core.extras import missing, remedy

Points = list[tuple[int, float]]
Bars = dict[str, dict[str, float]]
"""A number by contender, then by work done."""
WIDTH, HEIGHT = 12, 5  # inches
FIT = 15  # groups of bars that fit in that height; the picture grows with more
MOST = 40  # groups shown at most: the work that took longest
COLOURS = 10  # in matplotlib's cycle
BAR = 0.8  # share of the distance between two groups that their bars fill


class PlotError(HmgpuError):
    """matplotlib is missing, or the file holds nothing to draw."""


def require_matplotlib() -> None:
    """Raise PlotError where matplotlib is missing; called before a long measurement, not after it."""
    if missing(["matplotlib"]):
        how = remedy("matplotlib")
        raise PlotError(f"A plot needs matplotlib, which is not installed: {how}, or add --no-plot.")


def plot(file: Path) -> Path:
    """Draw the result in the JSON `file`; return the SVG, which lies next to it. Raises PlotError."""
    require_matplotlib()
    result = _read(file)
    measurements = result["measurements"]
    largest = at_largest(measurements)
    matplotlib, figures = map(importlib.import_module, ("matplotlib", "matplotlib.figure"))
    figure = figures.Figure(figsize=(WIDTH, HEIGHT * max(1, len(largest) / FIT)), layout="constrained")
    left, right = figure.subplots(1, 2)
    whole = measurements[-1]["what"]
    by_size = seconds_by_size(measurements, whole)
    names = list(dict.fromkeys(name for each in measurements for name in each["contenders"]))
    colours = {name: f"C{number % COLOURS}" for number, name in enumerate(names)}  # the same left and right
    if max(map(len, by_size.values())) > 1:
        _draw_lines(left, by_size, whole, measurements[-1]["unit"], colours)
    else:
        _draw_bars(left, seconds(largest), "seconds, at the largest size", colours)
        left.set_xscale("log")
    against = " or ".join(dict.fromkeys(each["against"] for each in largest if len(each["contenders"]) > 1))
    _draw_bars(right, ratios(largest), f"times as fast as {against}", colours)
    right.axvline(1.0, color="black", linewidth=1)  # left of it, the contender that others are compared with is faster
    figure.suptitle(_on(result), fontsize="small")
    picture = file.with_suffix(".svg")
    with matplotlib.rc_context({"svg.hashsalt": "hmgpu"}):  # the same figures give the same bytes
        figure.savefig(picture, metadata={"Date": None})
    return picture


def seconds_by_size(measurements: Sequence[Mapping[str, Any]], what: str) -> dict[str, Points]:
    """Return each contender's (rows, median seconds) for `what`, fewest rows first."""
    lines = dict[str, Points]()
    for each in measurements:
        if each["what"] == what:
            for name, facts in each["contenders"].items():
                lines.setdefault(name, []).append((each["rows"], facts["median_seconds"]))
    return {name: sorted(points) for name, points in lines.items()}


def at_largest(measurements: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return, for each kind of work, the measurement with the most rows; in order, at most the `MOST` longest."""
    largest = dict[str, Mapping[str, Any]]()
    for each in measurements:
        if each["what"] not in largest or each["rows"] >= largest[each["what"]]["rows"]:
            largest[each["what"]] = each
    longest = sorted(largest.values(), key=_longest, reverse=True)[:MOST]
    return [each for each in largest.values() if each in longest]


def seconds(measurements: Sequence[Mapping[str, Any]]) -> Bars:
    """Return the median seconds by contender, then by work done."""
    bars = Bars()
    for each in measurements:
        for name, facts in each["contenders"].items():
            bars.setdefault(name, {})[each["what"]] = facts["median_seconds"]
    return bars


def ratios(measurements: Sequence[Mapping[str, Any]]) -> Bars:
    """Return how many times as fast each contender is as the one compared with; empty where that ran alone."""
    bars = Bars()
    for each in measurements:
        for name, facts in each["contenders"].items():
            if name != each["against"]:
                bars.setdefault(name, {})[each["what"]] = facts["times_as_fast"]["median"]
    return bars


def _longest(measurement: Mapping[str, Any]) -> float:
    return max(float(facts["median_seconds"]) for facts in measurement["contenders"].values())


def _read(file: Path) -> Any:
    try:
        result = json.loads(file.read_text())
        if result["measurements"]:
            return result
    except FileNotFoundError:
        raise PlotError(f"{file} isn't there: give a file that a benchmark of speed wrote with --out.") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise PlotError(f"{file} has no seconds to draw: give a file that a benchmark of speed wrote with --out.")


def _draw_lines(axes: Any, lines: Mapping[str, Points], what: str, unit: str, colours: Mapping[str, str]) -> None:
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name, color=colours[name])
    axes.set(xscale="log", yscale="log", xlabel=unit, ylabel="seconds", title=what)
    axes.grid(which="both", alpha=0.3)
    axes.legend()


def _draw_bars(axes: Any, bars: Bars, label: str, colours: Mapping[str, str]) -> None:
    done = list(dict.fromkeys(what for shown in bars.values() for what in shown))
    thickness = BAR / max(1, len(bars))
    for number, (name, shown) in enumerate(bars.items()):
        places = [done.index(what) + (number + 0.5) * thickness - BAR / 2 for what in shown]
        axes.barh(places, list(shown.values()), thickness, label=name, color=colours[name])
    axes.set_yticks(range(len(done)), done)
    axes.invert_yaxis()
    axes.set(xlabel=label)
    axes.grid(axis="x", alpha=0.3)
    if bars:
        axes.legend()


def _on(result: Mapping[str, Any]) -> str:
    """The machine that it was measured on, and the contenders that couldn't take part."""
    machine = result["machine"]
    said = f"{machine['cpu']}, {machine['threads']} threads, {machine['memory_gib']} GiB; GPU: {machine['gpu']}"
    return "\n".join([said, *(f"absent: {name}" for name in result["absent"])])
