"""What silhouettes are made of: polygons and lines, on a canvas whose left and right mirror each other."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, pi, sin

WIDE, HIGH = 96, 128
"""Width and height of a picture, in pixels. Points are (pixels right of the middle, pixels from the top)."""

Point = tuple[float, float]
Line = tuple[Point, ...]


@dataclass(frozen=True)
class Silhouette:
    """The outline of a product type and what is seen on it."""

    fabric: tuple[Line, ...]
    """Polygons that the fabric fills."""
    seams: tuple[Line, ...] = ()
    """Lines on the fabric."""
    inside: tuple[Line, ...] = ()
    """Polygons behind the fabric, such as the back of a neckline."""
    buttons: tuple[Point, ...] = ()
    pale: tuple[Line, ...] = ()
    """Polygons that are nearly white whatever the colour is, such as soles."""
    straps: tuple[Line, ...] = ()
    """Lines of the fabric's colour, next to the fabric: straps, handles, rings."""
    motif: Point = (0, 52)
    """Where a single print is placed."""


def left(line: Iterable[Point]) -> Line:
    """Mirror a line."""
    return tuple((-x, y) for x, y in line)


def both(*lines: Line) -> tuple[Line, ...]:
    """Return lines of the right side, and those of the left."""
    return (*lines, *(left(line) for line in lines))


def whole(*half: Point) -> Line:
    """Return the polygon whose right half is given, from top to bottom."""
    return (*half, *left(reversed(half)))


def ring(x: float, y: float, wide: float, high: float | None = None, points: int = 24) -> Line:
    """Return an ellipse by its middle and half axes."""
    tall = wide if high is None else high
    turns = [2 * pi * n / points for n in range(points + 1)]
    # Rounded, since the last bit of a cosine differs between machines.
    return tuple((round(x + wide * cos(turn), 2), round(y + tall * sin(turn), 2)) for turn in turns)


def placket(top: float, bottom: float, number: int) -> tuple[Point, ...]:
    """Return evenly spaced buttons down the front."""
    return tuple((0, top + (bottom - top) * n / max(1, number - 1)) for n in range(number))


def rows(first: float, last: float, step: float, wide: float) -> tuple[Line, ...]:
    """Return lines across, as of quilting or ribs."""
    number = int((last - first) / step) + 1
    return tuple(((-wide, first + step * n), (wide, first + step * n)) for n in range(number))


def ribs(y: float, high: float, wide: float, step: float = 3) -> tuple[Line, ...]:
    """Return short upright lines between -wide and wide, as of a knitted hem, and the line above them."""
    number = int(wide / step)
    upright = tuple(((step * n, y), (step * n, y + high)) for n in range(-number, number + 1))
    return (((-wide, y), (wide, y)), *upright)
