"""Find and read the files of the articles' pictures."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from hmgpu.core.files import digest_of

Key = TypeVar("Key")
MOST_PIXELS = 2**25
"""The most pixels that a picture may have, 100 MB when decoded: a file of a few kilobytes can claim gigabytes."""
NARROWEST = 20
"""Times as long as wide: encoders scale the short side to a few hundred pixels, and the long one with it."""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # MOST_PIXELS is lower


@dataclass(frozen=True)
class Unread:
    """A picture that can't be used."""

    why: str
    """Ends the sentence "this file is …"."""


def picture_file(folder: Path, article_id: str) -> Path | None:
    """Return the path of an article's picture, whether or not it exists; None for an id that can't be a file name.

    Pictures lie as in Kaggle's data: `images/0NN/0NNNNNNNNN.jpg`, in a folder of the id's first three characters.
    """
    if Path(article_id).name != article_id:  # an id may be anything, even a path into another folder
        return None
    return folder / article_id[:3] / f"{article_id}.jpg"


def picture_files(folder: Path, ids: Mapping[Key, str]) -> dict[Key, Path]:
    """Return the pictures in `folder` of the articles with these ids, of those that have one, by the keys of `ids`."""
    places = {article: picture_file(folder, each) for article, each in ids.items()}
    return {article: place for article, place in places.items() if place and place.is_file()}


def state_of(file: Path) -> list[int]:
    """Return size and time: hashing the contents of thousands of pictures would take longer than it could save."""
    state = file.stat()
    return [state.st_size, state.st_mtime_ns]


def without_pictures(place: Path | str) -> str:
    """Say that pictures are missing, and where they belong."""
    return f"The data set has no pictures: put them into {place}."


def pictures_digest(folder: Path | None) -> str:
    """Hash the names of all pictures; their contents would take minutes to read."""
    return digest_of(sorted(file.name for file in folder.glob("*/*.jpg")) if folder else None)


def read_picture(file: Path, size: tuple[int, int]) -> Image.Image | Unread:
    """Decode a picture as RGB. A JPEG may be decoded at a fraction of its size that is still at least `size`."""
    try:
        with Image.open(file) as image:
            image.draft("RGB", size)
            wide, high = image.size
            if wide * high > MOST_PIXELS:
                return Unread(f"huge (more than {MOST_PIXELS / 1e6:.0f} megapixels)")
            if max(wide, high) > NARROWEST * min(wide, high):
                return Unread(f"a strip (more than {NARROWEST} times as long as wide)")
            return image.convert("RGB")
    except UnidentifiedImageError:
        return Unread("not a picture")
    except FileNotFoundError:
        return Unread("missing")
    except Image.DecompressionBombError:
        return Unread(f"huge (more than {MOST_PIXELS / 1e6:.0f} megapixels)")
    except Exception:  # Pillow's decoders raise whatever a damaged file makes them stumble over
        return Unread("damaged or unreadable")
