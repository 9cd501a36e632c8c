"""Colours by their names, to draw and show articles."""

from collections.abc import Mapping
from typing import Any

NEUTRAL = "#8b8f98"
COLOURS = {
    "black": "#26262b",
    "navy": "#1f2c4d",
    "white": "#f6f5f1",
    "chalk": "#e9e4da",
    "snow": "#f7f6f2",
    "slate": "#565c66",
    "grey": "#9a9b9f",
    "ash": "#9a9b9f",
    "sand": "#d8c4a0",
    "camel": "#b98a55",
    "beige": "#d9c7a8",
    "brown": "#6f4e37",
    "mole": "#7d6f63",
    "sky": "#a9c9e8",
    "denim": "#4f6e96",
    "turquoise": "#3fa7a3",
    "blue": "#3b5f9c",
    "blush": "#eec4c8",
    "fuchsia": "#c8327e",
    "pink": "#e59bb0",
    "brick": "#9c4636",
    "scarlet": "#c8202f",
    "red": "#b3262e",
    "orange": "#d9772b",
    "mustard": "#c99a2e",
    "gold": "#c2a14d",
    "yellow": "#ecd35b",
    "moss": "#5d6b3a",
    "mint": "#b5dcc6",
    "khaki": "#7a7650",
    "green": "#3f7d54",
    "lilac": "#b9a5cf",
    "purple": "#6d4b8d",
    "silver": "#b9bcc2",
    "metal": "#a5a8ad",
}
"""By a word in a colour's name."""


def colour_of(*names: str | None) -> str:
    """Return the colour that the first name with a known word has, as #rrggbb."""
    for name in names:
        # "Dark blue" is blue, "Denim blue" is denim.
        found = [COLOURS[word] for word in (name or "").lower().split() if word in COLOURS]
        if found:
            return found[0]
    return NEUTRAL


def article_colour(row: Mapping[str, Any]) -> str:
    """Return the colour of the article whose attributes are in `row`, as #rrggbb."""
    return colour_of(row.get("colour_name"), row.get("colour_master_name"))
