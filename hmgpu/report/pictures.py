"""The articles' pictures, small enough to stand in a page."""

import base64
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

SIZE = (100, 132)  # at most, in pixels
QUALITY = 70


def picture(folder: Path | None, article_id: str) -> str | None:
    """The picture of an article as a `data:` address; None where there is none that can be read.

    Pictures lie as Kaggle has them: `images/0NN/0NNNNNNNNN.jpg`, in a folder of the id's first three digits.
    """
    if folder is None or Path(article_id).name != article_id:  # an id may be anything, a path into other folders too
        return None
    try:
        with Image.open(folder / article_id[:3] / f"{article_id}.jpg") as image:
            image.draft("RGB", SIZE)  # a JPEG is then read at a fraction of its size
            small = image.convert("RGB")
    except (OSError, UnidentifiedImageError):
        return None
    small.thumbnail(SIZE)
    written = io.BytesIO()
    small.save(written, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode()
