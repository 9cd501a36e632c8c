"""What encoders are given: of every article its picture, or its name and description."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
from PIL import Image

from hmgpu.core.errors import DataError
from hmgpu.core.files import digest_of
from hmgpu.data.choices import VectorsOf
from hmgpu.data.pictures import picture_file
from hmgpu.data.store import Store

SIDE = 512  # pixels at least: encoders look at 224 or so, and a JPEG is read faster at a fraction of its size
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # what Pillow raises of damaged files


class ArticleInputs(ABC):
    """What is encoded of each article, in the order of the ids."""

    ids: list[str]
    digest: str
    """Hash of what they are, as far as can be told without reading pictures."""

    @abstractmethod
    def read(self, ids: Sequence[str]) -> "list[str | Image.Image | None]":
        """The inputs of `ids`; None for one that can't be read."""


class ArticleTexts(ArticleInputs):
    """Name and description, of the articles that have either."""

    def __init__(self, store: Store) -> None:
        """Raises DataError where the data has no names and no descriptions."""
        told = [name for name in ("name", "description") if name in store.present]
        if not told:
            raise DataError(
                f"The articles in {store.root} have neither names nor descriptions to encode: name the columns in "
                "`data.columns.articles` and ingest anew."
            )
        text = pl.concat_str([pl.col(name).str.strip_chars() for name in told], separator=". ", ignore_nulls=True)
        articles = store.articles().select("article_id", text=text).filter(pl.col("text").str.contains(r"\w"))
        self._texts = dict(articles.sort("article_id").collect().iter_rows())
        self.ids = list(self._texts)
        self.digest = digest_of(self._texts)

    def read(self, ids: Sequence[str]) -> "list[str | Image.Image | None]":
        return [self._texts[each] for each in ids]


class ArticlePictures(ArticleInputs):
    """The pictures that lie where the raw files had them."""

    def __init__(self, store: Store) -> None:
        """Raises DataError where the data has no folder of pictures, or none of an article is in it."""
        folder = store.pictures
        if folder is None:
            raise DataError(
                f"The data set in {store.root} has no pictures: ingest raw files with a folder `images` beside them, "
                "which `hmgpu download --images` gets, or bring vectors with `hmgpu vectors pictures --from FILE`."
            )
        ids = store.article_ids().sort("article_id").collect()["article_id"]
        places = {each: picture_file(folder, each) for each in ids}
        self._files = {each: file for each, file in places.items() if file and file.is_file()}
        if not self._files:
            raise DataError(
                f"{folder} holds no picture of an article: that of 0123456789 must be images/012/0123456789.jpg, in a "
                "folder of the id's first three characters."
            )
        self.ids = list(self._files)
        self.digest = digest_of({each: _state(file) for each, file in self._files.items()})

    def read(self, ids: Sequence[str]) -> "list[str | Image.Image | None]":
        with ThreadPoolExecutor() as threads:  # decoding holds no lock
            return list(threads.map(_picture, (self._files[each] for each in ids)))


def inputs_of(store: Store, of: VectorsOf) -> ArticleInputs:
    """All inputs of the data set's articles. Raises DataError where there are none."""
    return ArticlePictures(store) if of == "pictures" else ArticleTexts(store)


def _state(file: Path) -> list[int]:
    """Size and time: reading thousands of pictures for their hash takes longer than what it would save."""
    state = file.stat()
    return [state.st_size, state.st_mtime_ns]


def _picture(file: Path) -> Image.Image | None:
    try:
        with Image.open(file) as image:
            image.draft("RGB", (SIDE, SIDE))
            return image.convert("RGB")
    except BROKEN:
        return None
