"""Draw figures as dots on a common scale, with a line for the interval of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from hmgpu.core.html.blocks import score
from hmgpu.core.html.lines import scale
from hmgpu.core.html.marks import Cell

Interval = tuple[float, float]


class Row(NamedTuple):
    """A row as it is drawn; places are in percent of the scale."""

    name: Cell
    text: str
    interval: str
    at: float
    low: float
    high: float
    strong: bool


@dataclass(frozen=True)
class Dots:
    """A row with a dot for every figure: (name, value, its interval or None)."""

    block: ClassVar[str] = "dots"
    title: str
    figures: Sequence[tuple[Cell, float, Interval | None]]
    text: Callable[[float], str] = score
    strong: frozenset[str] = frozenset()
    """Names of the rows that matter most."""
    ordered: bool = True
    """Whether the largest value comes first; otherwise rows keep their order, such as that of ages."""

    @property
    def rows(self) -> list[Row]:
        """The rows as they are drawn."""
        figures = sorted(self.figures, key=lambda figure: -figure[1]) if self.ordered else self.figures
        rows = []
        for name, value, span in figures:
            low, high = span or (value, value)
            interval = " to ".join(map(self.text, span)) if span else ""
            at, start, end = map(self._at, (value, low, high))
            rows.append(Row(name, self.text(value), interval, at, start, end, str(name) in self.strong))
        return rows

    @property
    def ends(self) -> tuple[str, str]:
        """The numbers at both ends of the scale."""
        start, step, steps = self._scale
        return self.text(start), self.text(start + step * steps)

    @property
    def zero(self) -> float | None:
        """The place of 0, in percent; None where the scale begins there, or above."""
        return self._at(0.0) if self._scale[0] < 0 else None

    def _at(self, value: float) -> float:
        start, step, steps = self._scale
        return 100 * (value - start) / (step * steps)

    @cached_property
    def _scale(self) -> tuple[float, float, int]:
        ends = [end for _, value, span in self.figures for end in (value, *(span or ()))] or [0.0]
        # From 0, unless all are far from it: then their differences would not be seen.
        return scale(min(ends) if min(ends) > max(ends) / 2 else min(0.0, *ends), max(ends))
