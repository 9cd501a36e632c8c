"""The articles' pictures, small enough to stand in a page."""

import base64
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from hmgpu.data.pictures import picture_file

SIZE = (100, 132)  # at most, in pixels
QUALITY = 70


def picture(folder: Path | None, article_id: str) -> str | None:
    """The picture of an article as a `data:` address; None where there is none that can be read.

    Where they lie, `hmgpu.data.pictures` says.
    """
    file = picture_file(folder, article_id) if folder else None
    if file is None:
        return None
    try:
        with Image.open(file) as image:
            image.draft("RGB", SIZE)  # a JPEG is then read at a fraction of its size
            small = image.convert("RGB")
    except (OSError, UnidentifiedImageError):
        return None
    small.thumbnail(SIZE)
    written = io.BytesIO()
    small.save(written, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode()
