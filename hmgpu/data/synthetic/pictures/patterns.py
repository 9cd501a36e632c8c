"""The prints of fabrics, by graphical appearance: where which ink is, as grey levels."""

from functools import cache
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from hmgpu.data.synthetic.pictures.outline import HIGH, WIDE

DESIGNS = 4
"""Designs of each print."""
FINER = 3
MOTIF = 11  # pixels from the middle of a single print to its edge


@cache
def print_of(appearance: str, design: int) -> tuple[Image.Image, ...]:
    """Return where the print's first ink is, and its second if it has one; nothing for plain fabric."""
    rng = np.random.Generator(np.random.PCG64(design))
    if appearance == "Printed all over":
        return _scattered(rng, design)
    if appearance == "Striped":
        return (_stripes(design),)
    if appearance == "Checked":
        wide = (10, 14, 8, 18)[design]
        return (_bars(wide, wide // 2, 120), _bars(wide, 2, 90))
    if appearance == "Marled":
        grain = Image.fromarray(rng.integers(0, 256, (HIGH // 2, WIDE), dtype=np.uint8)).resize((WIDE, HIGH))
        return (grain.point(lambda level: max(0, level - 110)),)
    if appearance == "Sparkling":
        return (_points(rng, 320, 0.7), _points(rng, 60, 1.3))
    return ()


@cache
def motif(design: int) -> Image.Image:
    """Return a single print in the middle of a small square: a star, a heart, a sun or a bolt."""
    size = 2 * MOTIF * FINER
    image = Image.new("L", (size, size))
    draw, middle = ImageDraw.Draw(image), size / 2
    if design == 0:
        points = [
            (middle + r * sin(pi * n / 5), middle - r * cos(pi * n / 5))
            for n, r in enumerate([0.95 * middle, 0.4 * middle] * 5)
        ]
        draw.polygon(points, 255)
    elif design == 1:
        draw.pieslice((4, 6, middle + 2, middle + 6), 180, 0, 255)
        draw.pieslice((middle - 2, 6, size - 4, middle + 6), 180, 0, 255)
        draw.polygon([(4, middle * 0.62), (size - 4, middle * 0.62), (middle, size - 5)], 255)
    elif design == 2:
        draw.ellipse((6, 6, size - 6, size - 6), 255)
        for y in range(round(middle), size, 9):
            draw.rectangle((0, y, size, y + 3), 0)
    else:
        bolt = [(0.6, 0.04), (0.2, 0.56), (0.46, 0.56), (0.36, 0.96), (0.82, 0.4), (0.54, 0.4)]
        draw.polygon([(x * size, y * size) for x, y in bolt], 255)
    return image.reduce(FINER)


@cache
def lace() -> Image.Image:
    """Return scallops with holes, for the hem."""
    image = Image.new("L", (WIDE * FINER, HIGH * FINER), 235)
    draw = ImageDraw.Draw(image)
    for y in range(0, HIGH * FINER, 9):
        for x in range(y // 9 % 2 * 5, WIDE * FINER, 10):
            draw.ellipse((x, y, x + 4, y + 4), 60)
    return image.reduce(FINER)


def _scattered(rng: np.random.Generator, design: int) -> tuple[Image.Image, ...]:
    """Flowers, dots, leaves or brush strokes on a jittered grid, so that they hardly overlap."""
    step = (13, 8, 11, 15)[design] * FINER
    inks = [Image.new("L", (WIDE * FINER, HIGH * FINER)) for _ in range(2)]
    first, second = (ImageDraw.Draw(ink) for ink in inks)
    for row, y0 in enumerate(range(0, HIGH * FINER, step)):
        for x0 in range(-step // 2 * (row % 2), WIDE * FINER, step):
            x, y = (int(at + rng.integers(0, step // 3)) for at in (x0, y0))
            turn = float(rng.random() * pi)
            if design == 1:
                first.ellipse((x, y, x + 2.6 * FINER, y + 2.6 * FINER), 255)
            elif design == 2:
                tip = (x + 7 * FINER * cos(turn), y + 7 * FINER * sin(turn))
                first.line([(x, y), tip], 255, 2 * FINER)
                second.line([tip, (tip[0] + 3 * FINER * sin(turn), tip[1] + 3 * FINER)], 255, FINER)
            else:
                petals, reach, size = (5, 2.6 * FINER, 1.9 * FINER) if design == 0 else (3, 3.6 * FINER, 2.4 * FINER)
                for n in range(petals):
                    px, py = x + reach * cos(turn + 2 * pi * n / petals), y + reach * sin(turn + 2 * pi * n / petals)
                    first.ellipse((px - size, py - size, px + size, py + size), 255)
                second.ellipse((x - FINER, y - FINER, x + FINER, y + FINER), 255)
    whole = tuple(ink.reduce(FINER) for ink in inks)
    return whole[:1] if design == 1 else whole


def _stripes(design: int) -> Image.Image:
    period, thick, upright = ((10, 4, False), (5, 2, False), (16, 8, False), (7, 1, True))[design]
    image = Image.new("L", (WIDE, HIGH))
    draw = ImageDraw.Draw(image)
    for at in range(0, WIDE if upright else HIGH, period):
        draw.rectangle((at, 0, at + thick - 1, HIGH) if upright else (0, at, WIDE, at + thick - 1), fill=255)
    return image


def _bars(period: int, thick: int, level: int) -> Image.Image:
    """Stripes across and down, darker where they cross."""
    across, down = (Image.new("L", (WIDE, HIGH)) for _ in range(2))
    for at in range(0, HIGH, period):
        ImageDraw.Draw(across).rectangle((0, at, WIDE, at + thick - 1), fill=level)
        ImageDraw.Draw(down).rectangle((at, 0, at + thick - 1, HIGH), fill=level)
    return ImageChops.add(across, down)


def _points(rng: np.random.Generator, number: int, radius: float) -> Image.Image:
    image = Image.new("L", (WIDE * FINER, HIGH * FINER))
    draw = ImageDraw.Draw(image)
    for x, y in zip(rng.integers(0, WIDE * FINER, number), rng.integers(0, HIGH * FINER, number), strict=True):
        size = radius * FINER / 2
        draw.ellipse((int(x) - size, int(y) - size, int(x) + size, int(y) + size), 255)
    return image.reduce(FINER).filter(ImageFilter.GaussianBlur(0.3))
