"""Find the files of the articles' pictures."""

from pathlib import Path


def picture_file(folder: Path, article_id: str) -> Path | None:
    """Return the path of an article's picture, whether or not it exists; None for an id that can't be a file name.

    Pictures lie as in Kaggle's data: `images/0NN/0NNNNNNNNN.jpg`, in a folder of the id's first three characters.
    """
    if Path(article_id).name != article_id:  # an id may be anything, even a path into another folder
        return None
    return folder / article_id[:3] / f"{article_id}.jpg"
