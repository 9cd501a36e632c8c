"""Colours are found by the words of their names."""

from hmgpu.core.html.tiles import Tile
from hmgpu.data.colours import COLOURS, NEUTRAL, colour_of
from hmgpu.data.synthetic.vocabulary import COLOURS as SYNTHETIC


def test_colours_are_found_by_their_words() -> None:
    assert colour_of("Dark Blue") == COLOURS["blue"]
    assert colour_of("Denim blue", "Blue") == COLOURS["denim"]
    assert colour_of("Undefined", "Red") == COLOURS["red"]
    assert colour_of() == colour_of(None, "") == NEUTRAL
    assert all(Tile("", colour=colour).__html__() for colour in COLOURS.values())


def test_every_colour_of_synthetic_data_is_known() -> None:
    assert len({colour_of(name) for name, _, _ in SYNTHETIC}) > 16
    assert NEUTRAL not in {colour_of(name) for name, _, _ in SYNTHETIC}
