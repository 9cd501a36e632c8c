"""Small pictures of one colour each, where a data set has those of its articles."""

from collections.abc import Mapping
from pathlib import Path

from hmgpu.data.pictures import picture_file

Colour = tuple[int, int, int]


def draw_pictures(folder: Path, colours: Mapping[str, Colour]) -> Path:
    """Draw a picture of each article (by its id) in its colour, on white, and return `folder`."""
    from PIL import Image

    for article_id, colour in colours.items():
        file = picture_file(folder, article_id)
        assert file is not None, f"{article_id} can't be the name of a file"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (24, 32), (255, 255, 255))
        picture.paste(colour, (4, 4, 20, 28))
        picture.save(file)
    return folder


def colour_of(number: int, seed: int = 0) -> Colour:
    """Return one of many colours."""
    return number * 37 % 256, (number * 101 + 89 * seed) % 256, number * 11 % 256
