"""Compute the points, bands, ticks and labels of a line chart, which the template only writes down."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from hmgpu.core.html.blocks import count

SIDE = 100  # of the picture, which is stretched to its place on the page: places in it are percent
TICKS = 4
MARKED = 16  # points of a line, at most
LABELS, FEW = 8, 4  # under the x axis, at most; on a narrow page


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

    bands: Mapping[str, Sequence[tuple[float, float] | None]] = field(default_factory=dict)
    """The interval of each value, of the lines that have them."""

    side: ClassVar[int] = SIDE

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Grid lines (percent from the top, text) at round values that enclose all points and bands."""
        low, step, steps = self._scale
        values = [low + number * step for number in range(steps + 1)]
        return [(self._y(value), self.text(value)) for value in values]

    @property
    def labels(self) -> list[tuple[float, str, bool]]:
        """Labels of the x axis (percent from the left, text, whether a narrow page leaves it out), evenly spaced."""
        every = max(1, math.ceil(len(self.places) / LABELS))
        shown = list(enumerate(self.places))[::every]
        few = max(1, math.ceil(len(shown) / FEW))
        return [(self._x(number), place, place_number % few > 0) for place_number, (number, place) in enumerate(shown)]

    @property
    def paths(self) -> list[tuple[str, str, str]]:
        """The lines as (name, SVG path, SVG path of the band, which is empty without one)."""
        return [
            (name, self._path(values), self._band(self.bands.get(name, ()))) for name, values in self.series.items()
        ]

    @property
    def marks(self) -> list[str]:
        """An SVG path of each line's points, drawn as round ends; empty where they are too many to be marked."""
        few = len(self.places) <= MARKED
        return ["".join(self._strokes(values, "M")) if few else "" for values in self.series.values()]

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
        return "".join(self._strokes(values, "L"))

    def _strokes(self, values: Sequence[float | None], onwards: str) -> Iterator[str]:
        """Yield an SVG command for each value: on from the one before by `onwards`, after a gap to a new start."""
        pen = "M"
        for number, value in enumerate(values):
            if value is not None:
                # A path of one point is visible only as a line of no length, whose ends are round.
                yield f"{pen}{self._x(number):.1f} {self._y(value):.1f}{'h0' if pen == 'M' else ''}"
            pen = "M" if value is None else onwards

    def _band(self, spans: Sequence[tuple[float, float] | None]) -> str:
        """Outline each stretch of known intervals: along the upper ends, and back along the lower ones."""
        drawn, known = [], [(number, span) for number, span in enumerate(spans) if span is not None]
        for _, stretch in itertools.groupby(enumerate(known), key=lambda item: item[0] - item[1][0]):
            there = [(self._x(number), span) for _, (number, span) in stretch]
            # Of one place there is no area: its interval is a line.
            outline = [(x, high) for x, (_, high) in there] + [(x, low) for x, (low, _) in reversed(there)]
            drawn.append("M" + "L".join(f"{x:.1f} {self._y(value):.1f}" for x, value in outline) + "Z")
        return "".join(drawn)

    def _x(self, number: int) -> float:
        return SIDE * number / max(1, len(self.places) - 1)

    def _y(self, value: float) -> float:
        low, step, steps = self._scale
        return SIDE - SIDE * (value - low) / (step * steps)

    @cached_property
    def _scale(self) -> tuple[float, float, int]:
        known = [value for values in self.series.values() for value in values if value is not None]
        known += [end for spans in self.bands.values() for span in spans if span is not None for end in span]
        known = known or [0.0]
        return scale(0.0 if self.from_zero else min(known), max(known))


def scale(low: float, high: float) -> tuple[float, float, int]:
    """Return a scale from `low` to `high`: where it starts, the distance between ticks, and how many steps there are.

    Ticks are at round numbers: the first at or just below `low`, the last at or just above `high`.
    """
    step = _round_up((high - low) / TICKS)
    start = math.floor(low / step) * step
    return start, step, max(1, math.ceil((high - start) / step - 1e-9))


def _round_up(step: float) -> float:
    """Round up to the next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, …; 1 if `step` is not positive."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * nice for nice in (1, 2, 5, 10) if power * nice >= step * (1 - 1e-9))
