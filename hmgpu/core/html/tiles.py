"""Rows of articles for a notebook, as pictures, or as coloured tiles for articles without a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

TILE = (
    "display:inline-block;vertical-align:top;width:92px;height:{height}px;margin:0 6px 6px 0;padding:4px;"
    "overflow:hidden;box-sizing:border-box;border:1px solid #0002;border-radius:4px;"
    "font:11px/1.25 system-ui,sans-serif;"
)
LIGHT, DARK = "#ffffff", "#1c1e21"


@dataclass(frozen=True)
class Tile:
    """One article in a row."""

    name: str
    about: str = ""
    colour: str = "#8b8f98"
    """Colour of a tile without a picture, as #rrggbb."""
    picture: str | None = None
    """A `data:` address."""

    def __html__(self) -> str:
        title = f"{self.name}, {self.about}" if self.about else self.name
        if self.picture:
            style = TILE.format(height=150) + f"background:{LIGHT};color:{DARK}"
            inner = Markup('<img src="{}" alt="" style="width:100%;height:104px;object-fit:contain"><br>{}')
            return Markup('<span style="{}" title="{}">{}</span>').format(
                style, title, inner.format(self.picture, self.name)
            )
        style = TILE.format(height=104) + f"background:{self.colour};color:{_ink(self.colour)}"
        return Markup('<span style="{}" title="{}"><b>{}</b><br>{}</span>').format(style, title, self.name, self.about)


@dataclass(frozen=True)
class Shelf:
    """A row of tiles under a heading."""

    heading: str
    tiles: Sequence[Tile]

    def __html__(self) -> str:
        row = Markup().join(self.tiles) or Markup("nothing")
        return Markup('<p style="margin:8px 0 4px">{}</p><div>{}</div>').format(self.heading, row)


@dataclass(frozen=True)
class Gallery:
    """Titles with their shelves: a notebook draws them, and `print` shows them as text."""

    rows: Sequence[tuple[str, Sequence[Shelf]]]

    def _repr_html_(self) -> str:
        drawn = (
            Markup('<section><p style="margin:16px 0 0"><b>{}</b></p>{}</section>').format(
                title, Markup().join(shelves)
            )
            for title, shelves in self.rows
        )
        return str(Markup().join(drawn))

    def __repr__(self) -> str:
        lines = []
        for title, shelves in self.rows:
            named = (f"  {shelf.heading}: {', '.join(tile.name for tile in shelf.tiles)}" for shelf in shelves)
            lines += [title, *named]
        return "\n".join(lines)


def _ink(colour: str) -> str:
    """Return the colour of text that is readable on `colour`."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else LIGHT
