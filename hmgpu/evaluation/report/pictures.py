"""Embed the articles' pictures, small enough for a page."""

import base64
import io
from pathlib import Path

from hmgpu.data.pictures import Unread, picture_file, read_picture

SIZE = (100, 132)  # in pixels
QUALITY = 70


def picture(folder: Path | None, article_id: str, size: tuple[int, int] = SIZE) -> str | None:
    """Return the picture of an article as a `data:` URL; None where it has no picture that can be read.

    `hmgpu.data.pictures` describes where the pictures lie.

    Args:
        size: its width and height in pixels, at most.
    """
    file = picture_file(folder, article_id) if folder else None
    small = read_picture(file, size) if file else None
    if small is None or isinstance(small, Unread):
        return None
    small.thumbnail(size)
    written = io.BytesIO()
    small.save(written, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode()
