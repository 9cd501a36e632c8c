"""Draw and write the pictures of a synthetic catalogue."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image, ImageChops, ImageColor

from hmgpu.core.threads import threads
from hmgpu.data.colours import colour_of
from hmgpu.data.pictures import picture_file
from hmgpu.data.synthetic.arrays import Ints, Stream, generator
from hmgpu.data.synthetic.catalogue import GROUPS, SyntheticCatalogue
from hmgpu.data.synthetic.pictures.cloth import CUTS, cloth
from hmgpu.data.synthetic.pictures.outline import HIGH, WIDE
from hmgpu.data.synthetic.pictures.patterns import DESIGNS, MOTIF, lace, motif, print_of
from hmgpu.data.synthetic.vocabulary import APPEARANCES, COLOURS

QUALITY = 88
TOGETHER = 500  # pictures between two calls of the progress
PALE = (246, 245, 241)
INKS = ("Snow", "Navy", "Scarlet", "Mustard", "Blush", "Moss", "Sky", "Brick", "Mint", "Chalk")
"""Colours of prints; the first that differs enough from the fabric is taken, from one that the product chooses."""
APART = 90  # of brightness, out of 255, between fabric and ink
RGB = tuple[int, int, int]


def draw_pictures(
    folder: Path,
    articles: SyntheticCatalogue,
    ids: pl.Series,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a JPEG of every article into `folder`, where `hmgpu.data.pictures` looks for it.

    The colours of a product have the same cut and print. `progress` is called with (pictures drawn, articles in all).
    """
    rng = generator(seed, Stream.PICTURES)
    products = int(articles.product.max()) + 1
    cut, design, ink = (rng.integers(0, n, products)[articles.product] for n in (len(CUTS), DESIGNS, len(INKS)))
    jitter = rng.integers(-6, 7, (len(articles), 3)).astype(np.int32)
    files = [picture_file(folder, each) for each in ids]
    for place in {file.parent for file in files if file}:
        place.mkdir(parents=True)

    def draw(n: int) -> None:
        kind = GROUPS[articles.group[n]].types[articles.kind[n]].name
        look, colour = APPEARANCES[articles.appearance[n]], _fabric(int(articles.colour[n]), jitter[n])
        file = files[n]
        if file:
            drawn(kind, int(cut[n]), colour, look, int(design[n]), int(ink[n])).save(file, "JPEG", quality=QUALITY)

    with ThreadPoolExecutor(threads()) as pool:
        for start in range(0, len(articles), TOGETHER):
            end = min(start + TOGETHER, len(articles))
            list(pool.map(draw, range(start, end)))
            if progress:
                progress(end, len(articles))


def drawn(kind: str, cut: int, colour: RGB, look: str, design: int, ink: int) -> Image.Image:
    """Draw an article as (WIDE, HIGH) RGB.

    Args:
        kind: a product type of the vocabulary.
        cut: which of CUTS.
        colour: of the fabric.
        look: one of the vocabulary's APPEARANCES.
        design: which of DESIGNS of the print.
        ink: which of INKS is tried first for the print.
    """
    what = cloth(kind, cut)
    fabric = Image.new("RGB", (WIDE, HIGH), colour)
    for number, where in enumerate(print_of(look, design)):
        fabric.paste(_ink(colour, ink + 3 * number) if look != "Marled" else _lighter(colour), mask=where)
    if look == "Motif":
        x, y = what.motif
        fabric.paste(_ink(colour, ink), (x - MOTIF, y - MOTIF), motif(design))
    elif look == "Lace-trimmed":
        fabric.paste(_lighter(colour), mask=ImageChops.multiply(what.hem, lace()))
    fabric = ImageChops.add(ImageChops.multiply(fabric, what.shade), what.shine)
    fabric.paste(PALE, mask=what.pale)
    return Image.composite(fabric, what.paper, what.fabric)


def _fabric(colour: int, jitter: Ints) -> RGB:
    name, _, _ = COLOURS[colour]
    red, green, blue = (int(min(255, max(0, c + j))) for c, j in zip(_rgb(name), jitter, strict=True))
    return red, green, blue


def _ink(colour: RGB, first: int) -> RGB:
    inks = [_rgb(INKS[(first + n) % len(INKS)]) for n in range(len(INKS))]
    return next((ink for ink in inks if abs(_brightness(ink) - _brightness(colour)) > APART), inks[0])


def _lighter(colour: RGB) -> RGB:
    """Return a tone of the same colour that shows on it: lighter, or darker where the colour is light."""
    towards = 255 if _brightness(colour) < 170 else 60
    red, green, blue = ((c + towards) // 2 for c in colour)
    return red, green, blue


def _brightness(colour: RGB) -> float:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _rgb(name: str) -> RGB:
    red, green, blue, *_ = ImageColor.getrgb(colour_of(name))
    return red, green, blue
