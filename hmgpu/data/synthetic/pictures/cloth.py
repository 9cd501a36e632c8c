"""Render the silhouette of a product type once: what all pictures of that type share."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from hmgpu.data.synthetic.pictures.outline import HIGH, WIDE, Line
from hmgpu.data.synthetic.pictures.silhouettes import SILHOUETTES

FINER = 4  # times as many pixels are drawn, then averaged
CUTS = ((1.0, 1.0), (0.9, 1.0), (1.06, 0.94))
"""Cuts of a type: times as wide, times as long."""
PAPER = (238, 236, 232)
INSIDE, SEAM, EDGE = 0.62, 0.66, 0.72
"""Brightness of the back of a neckline, of a seam, and of the fabric's edge, relative to the fabric."""


@dataclass(frozen=True)
class Cloth:
    """A product type in one cut."""

    fabric: Image.Image
    """Where fabric is, grey levels."""
    shade: Image.Image
    """Brightness of the fabric: seams, folds and edges; RGB to multiply with."""
    shine: Image.Image
    """Light on it, which shows on black fabric too; RGB to add."""
    hem: Image.Image
    """The lower edge of the fabric, grey levels."""
    pale: Image.Image
    """Where it is nearly white whatever the colour is, grey levels."""
    paper: Image.Image
    """The background with the shadow, RGB."""
    motif: tuple[int, int]
    """The middle of a single print, in pixels."""


class _Canvas:
    """Draws grey levels at a finer scale, in the coordinates of `outline.py`."""

    def __init__(self, cut: tuple[float, float]) -> None:
        self.image = Image.new("L", (WIDE * FINER, HIGH * FINER))
        self._draw, self._cut = ImageDraw.Draw(self.image), cut

    def place(self, x: float, y: float) -> tuple[int, int]:
        wide, high = self._cut
        middle = HIGH / 2
        return round((WIDE / 2 + x * wide) * FINER), round((middle + (y - middle) * high) * FINER)

    def fill(self, polygons: Iterable[Line]) -> "_Canvas":
        for polygon in polygons:
            self._draw.polygon([self.place(*point) for point in polygon], 255)
        return self

    def stroke(self, lines: Iterable[Line], width: float) -> "_Canvas":
        for line in lines:
            self._draw.line([self.place(*point) for point in line], 255, round(width * FINER), joint="curve")
        return self

    def dot(self, points: Iterable[tuple[float, float]], radius: float) -> "_Canvas":
        for x, y in (self.place(*point) for point in points):
            size = radius * FINER
            self._draw.ellipse((x - size, y - size, x + size, y + size), 255)
        return self

    def rounded(self) -> "_Canvas":
        """Take the edge off the corners."""
        soft = self.image.filter(ImageFilter.GaussianBlur(1.6 * FINER))
        self.image = soft.point(lambda level: 255 if level > 127 else 0)
        self._draw = ImageDraw.Draw(self.image)
        return self

    def reduced(self) -> Image.Image:
        return self.image.reduce(FINER)


@cache
def cloth(kind: str, cut: int) -> Cloth:
    """Return the product type `kind` in one of CUTS."""
    drawn, scale = SILHOUETTES[kind], CUTS[cut]
    fabric = _Canvas(scale).fill((*drawn.fabric, *drawn.inside)).rounded().stroke(drawn.straps, 2).reduced()
    inside = ImageChops.subtract(
        _Canvas(scale).fill(drawn.inside).reduced(), _Canvas(scale).fill(drawn.fabric).rounded().reduced()
    )
    seams = _Canvas(scale).stroke(drawn.seams, 1).reduced()
    buttons = _Canvas(scale).dot(drawn.buttons, 1.7).reduced()
    body = fabric.filter(ImageFilter.GaussianBlur(3.5))
    # Brightest where fabric is all around, and darker at its edges.
    shade = body.point(lambda level: round(255 * min(1.0, EDGE + (1 - EDGE) * max(0, level - 128) / 110)))
    shade = ImageChops.multiply(shade, _folds())
    for marks, brightness in ((inside, INSIDE), (seams, SEAM), (buttons, SEAM)):
        shade = Image.composite(ImageChops.multiply(shade, _level(brightness)), shade, marks)
    beside = ImageChops.offset(seams, 1, 1)
    light = ImageChops.multiply(ImageChops.add(beside, buttons), _level(0.16))
    light = ImageChops.add(light, ImageChops.multiply(body, _level(0.05)))
    shadow = ImageChops.offset(fabric, 1, 3).filter(ImageFilter.GaussianBlur(3))
    paper = Image.composite(
        Image.new("RGB", (WIDE, HIGH), tuple(round(0.82 * level) for level in PAPER)),
        Image.new("RGB", (WIDE, HIGH), PAPER),
        shadow.point(lambda level: level * 6 // 10),
    )
    x, y = (at // FINER for at in _Canvas(scale).place(*drawn.motif))
    hem = ImageChops.subtract(fabric, ImageChops.offset(fabric, 0, -7))
    pale = _Canvas(scale).fill(drawn.pale).reduced()
    both = ImageChops.lighter(fabric, pale)
    return Cloth(both, _rgb(shade), _rgb(light), hem, pale, paper, (x, y))


@cache
def _folds() -> Image.Image:
    """Return soft folds, brighter on the left: light falls from there."""
    row = [round(255 * (0.95 + 0.05 * (1 - x / WIDE) + 0.025 * (((x * 7) % 23) / 11.5 - 1))) for x in range(WIDE)]
    folds = Image.new("L", (WIDE, 1))
    folds.putdata([min(255, level) for level in row])
    return folds.resize((WIDE, HIGH)).filter(ImageFilter.GaussianBlur(2))


def _level(brightness: float) -> Image.Image:
    return Image.new("L", (WIDE, HIGH), round(255 * brightness))


def _rgb(grey: Image.Image) -> Image.Image:
    return Image.merge("RGB", (grey, grey, grey))
