"""Blocks of a page: sections of facts, tables, bars, heat maps and cards, as data that templates draw.

All text in them is escaped when it is drawn. Every number that is drawn as a picture is written as text too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from hmgpu.core.html.marks import Cell, Link

SHORT, LONG = 24, 36  # letters of a cell


def count(number: float) -> str:
    """Format a count: 12,345."""
    return f"{number:,.0f}"


def share(number: float | None) -> str:
    """Format a share: 12.3 %, or an en dash for None."""
    return "–" if number is None else f"{100 * number:.1f} %"


def rate(number: float) -> str:
    """Format a small share: 1.23 %."""
    return f"{100 * number:.2f} %"


def score(number: float | None) -> str:
    """Format a metric: 0.01234, or an en dash for None."""
    return "–" if number is None else f"{number:.5f}"


@dataclass(frozen=True)
class Facts:
    """A few figures with their names, side by side."""

    block: ClassVar[str] = "facts"
    figures: Mapping[str, str]


@dataclass(frozen=True)
class Hero:
    """The one figure that a page is about, large, and what it says."""

    block: ClassVar[str] = "hero"
    figure: str
    what: str
    more: str = ""


@dataclass(frozen=True)
class Grid:
    """A table whose first column names the row; the other columns are right-aligned if they are numbers.

    A click on a heading sorts the rows by that column.
    """

    block: ClassVar[str] = "grid"
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: bool = True
    """Whether all columns but the first are numbers."""
    strong: frozenset[str] = frozenset()
    """Names of the rows that matter most."""

    @staticmethod
    def width(cell: Cell) -> Markup:
        """Return the attribute that keeps a short text, such as a date, in one line, and gives a sentence its room."""
        length = len(str(cell))
        if isinstance(cell, Link) and cell.badges:  # which may stand below it
            return Markup()
        return Markup(' class="short"' if length <= SHORT else ' class="long"' if length > LONG else "")


@dataclass(frozen=True)
class Bars:
    """A table with a bar in every row: (name, value, the value as text)."""

    block: ClassVar[str] = "bars"
    title: str
    rows: Sequence[tuple[str, float, str]]

    @property
    def most(self) -> float:
        return max((value for _, value, _ in self.rows), default=0.0) or 1.0


@dataclass(frozen=True)
class Heat:
    """A table whose cells are darker the larger their value; None is an empty cell."""

    block: ClassVar[str] = "heat"
    title: str
    corner: str
    """The heading above the row names, which says what rows and columns are."""
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float | None]]]
    most: float
    """The value of the darkest cells."""
    percent: bool = True
    """Whether values are shares, shown in percent; otherwise they are shown with one decimal."""

    def text(self, value: float | None) -> str:
        if value is None:
            return ""
        return f"{100 * value:.0f}" if self.percent else f"{value:.1f}"


@dataclass(frozen=True)
class Article:
    """An article as a card shows it."""

    name: str
    about: str
    """Its attributes, or another description."""
    note: str = ""
    hit: bool = False
    picture: str | None = None
    """A `data:` address."""
    colour: str | None = None
    """Colour of a tile in place of a picture that there is not, as #rrggbb."""
    link: str | None = None
    """The address of a page about it."""


@dataclass(frozen=True)
class Card:
    """One customer's articles, in rows under headings."""

    block: ClassVar[str] = "card"
    title: str
    about: str
    shelves: Sequence[tuple[str, Sequence[Article]]]
    small: bool = False
    """Whether articles are small, with no more than their names."""


@dataclass(frozen=True)
class Section:
    """A heading and the blocks under it."""

    title: str
    lead: str
    """What the section shows, in a sentence or two."""
    blocks: Sequence[object]

    @property
    def anchor(self) -> str:
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())
