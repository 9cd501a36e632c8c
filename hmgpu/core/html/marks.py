"""Cells of a table that are more than text: badges and links."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from markupsafe import Markup

Tone = Literal["good", "bad", "calm"]


@dataclass(frozen=True)
class Badge:
    """A word that stands out, such as an outcome."""

    text: str
    tone: Tone = "calm"

    def __html__(self) -> str:
        return Markup('<span class="badge {}">{}</span>').format(self.tone, self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Link:
    """A link to a file next to the page, with badges behind it."""

    text: str
    place: str | None
    """The file, relative to the page; None where it is not there any more."""
    badges: tuple[Badge, ...] = ()

    def __html__(self) -> str:
        link = Markup('<a href="{}">{}</a>').format(quote(f"./{self.place}"), self.text) if self.place else self.text
        return Markup(" ").join([link, *self.badges])

    def __str__(self) -> str:
        return self.text


Cell = str | Badge | Link
