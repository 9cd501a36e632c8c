"""Compute the points, ticks and labels of a line chart, which the template only writes down."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from hmgpu.core.html.blocks import count

WIDTH, HEIGHT = 860, 240  # of the whole picture, in its own units
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 26  # around the lines
TICKS = 4
LABELS = 8  # under the x axis, at most


@dataclass(frozen=True)
class Lines:
    """A chart of one or more lines over the same places, such as weeks or trees."""

    block: ClassVar[str] = "lines"
    title: str
    over: str
    """What the places are, such as weeks."""
    places: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    """The values of each line, by its name; None leaves a gap."""
    text: Callable[[float], str] = count
    """The function that formats a value."""
    from_zero: bool = True
    """Whether the y axis starts at 0; otherwise it starts at or just below the smallest value."""

    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT
    left: ClassVar[int] = LEFT
    bottom: ClassVar[int] = HEIGHT - BOTTOM
    right: ClassVar[int] = WIDTH - RIGHT

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Grid lines (height in the picture, text) at round values that enclose all points."""
        low, step, steps = self._scale
        values = [low + number * step for number in range(steps + 1)]
        return [(self._y(value), self.text(value)) for value in values]

    @property
    def labels(self) -> list[tuple[float, str]]:
        """Labels of the x axis (place in the picture, text), evenly spaced, at most `LABELS`."""
        every = max(1, math.ceil(len(self.places) / LABELS))
        return [(self._x(number), place) for number, place in enumerate(self.places) if number % every == 0]

    @property
    def paths(self) -> list[tuple[str, str]]:
        """The lines as (name, SVG path)."""
        return [(name, self._path(values)) for name, values in self.series.items()]

    @property
    def summary(self) -> str:
        """Describe the picture in words, for screen readers."""
        parts = []
        for name, values in self.series.items():
            known = [(value, place) for value, place in zip(values, self.places, strict=True) if value is not None]
            if known:
                (low, low_at), (high, high_at) = min(known), max(known)
                parts.append(f"{name}: lowest {self.text(low)} ({low_at}), highest {self.text(high)} ({high_at})")
        return f"{self.title}, by {self.over}. {'; '.join(parts)}."

    def _path(self, values: Sequence[float | None]) -> str:
        drawn, pen = [], "M"
        for number, value in enumerate(values):
            if value is None:
                pen = "M"
                continue
            drawn.append(f"{pen}{self._x(number):.1f} {self._y(value):.1f}")
            pen = "L"
        # A path of one point is visible only as a line of no length, whose ends are round.
        return " ".join(drawn) + ("h0" if drawn else "")

    def _x(self, number: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * number / max(1, len(self.places) - 1)

    def _y(self, value: float) -> float:
        low, step, steps = self._scale
        return self.bottom - (self.bottom - TOP) * (value - low) / (step * steps)

    @cached_property
    def _scale(self) -> tuple[float, float, int]:
        """The y axis: where it starts, the distance between ticks, and the number of ticks above the start."""
        known = [value for values in self.series.values() for value in values if value is not None] or [0.0]
        low, high = (0.0 if self.from_zero else min(known)), max(known)
        step = _round_up((high - low) / TICKS)
        start = math.floor(low / step) * step
        return start, step, max(1, math.ceil((high - start) / step - 1e-9))


def _round_up(step: float) -> float:
    """Round up to the next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, …; 1 if `step` is not positive."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * nice for nice in (1, 2, 5, 10) if power * nice >= step * (1 - 1e-9))
