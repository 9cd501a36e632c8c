"""Where the articles' pictures lie."""

from pathlib import Path


def picture_file(folder: Path, article_id: str) -> Path | None:
    """The place of an article's picture, whether there is one or not; None for an id that can name none.

    As Kaggle has them: `images/0NN/0NNNNNNNNN.jpg`, in a folder of the id's first three digits.
    """
    if Path(article_id).name != article_id:  # an id may be anything, a path into other folders too
        return None
    return folder / article_id[:3] / f"{article_id}.jpg"
