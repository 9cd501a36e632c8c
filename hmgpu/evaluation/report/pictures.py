"""Embed the articles' pictures, small enough for a page."""

import base64
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from hmgpu.data.pictures import picture_file

SIZE = (100, 132)  # at most, in pixels
QUALITY = 70


def picture(folder: Path | None, article_id: str) -> str | None:
    """Return the picture of an article as a `data:` URL; None where it has no picture that can be read.

    `hmgpu.data.pictures` describes where the pictures lie.
    """
    file = picture_file(folder, article_id) if folder else None
    if file is None:
        return None
    try:
        with Image.open(file) as image:
            image.draft("RGB", SIZE)  # a JPEG is then decoded at a fraction of its size
            small = image.convert("RGB")
    except (OSError, UnidentifiedImageError):
        return None
    small.thumbnail(SIZE)
    written = io.BytesIO()
    small.save(written, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode()
