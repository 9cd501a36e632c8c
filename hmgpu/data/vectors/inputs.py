"""Inputs of encoders: the picture of every article, or its name and description."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl
from PIL import Image

from hmgpu.core.errors import DataError
from hmgpu.core.files import digest_of
from hmgpu.core.threads import threads
from hmgpu.data.choices import VectorsOf
from hmgpu.data.pictures import Unread, picture_file, picture_files, read_picture, state_of
from hmgpu.data.store import Store

SIDE = 512  # pixels at least: encoders use about 224, and a JPEG decodes faster at a fraction of its size
Input = str | Image.Image


class ArticleInputs(ABC):
    """What is encoded of each article, in the order of the ids."""

    ids: list[str]
    digest: str
    """Hash of the inputs; for pictures, of their files' sizes and times."""

    @abstractmethod
    def read(self, ids: Sequence[str]) -> list[Input | Unread]:
        """Return the inputs of `ids`, or why one can't be used."""

    def place_of(self, each: str) -> str:
        """Return where the input of an id comes from, as a sentence names it."""
        return each


class ArticleTexts(ArticleInputs):
    """Names and descriptions, of the articles that have either."""

    def __init__(self, store: Store) -> None:
        """Collect the texts of all articles; raises DataError where the data has neither names nor descriptions."""
        columns = [name for name in ("name", "description") if name in store.present]
        if not columns:
            raise DataError(
                f"The articles in {store.root} have neither names nor descriptions to encode: name the columns in "
                "`data.columns.articles` and ingest again."
            )
        text = pl.concat_str([pl.col(name).str.strip_chars() for name in columns], separator=". ", ignore_nulls=True)
        articles = store.articles().select("article_id", text=text).filter(pl.col("text").str.contains(r"\w"))
        self._texts = dict(articles.sort("article_id").collect().iter_rows())
        self.ids = list(self._texts)
        self.digest = digest_of(self._texts)

    def read(self, ids: Sequence[str]) -> list[Input | Unread]:
        return [self._texts[each] for each in ids]


class ArticlePictures(ArticleInputs):
    """The pictures in the raw files' folder `images`."""

    def __init__(self, store: Store) -> None:
        """List the articles' pictures; raises DataError where there is no folder of them, or no picture in it."""
        folder = store.pictures
        if folder is None:
            fetched = " with `hmgpu download --images`" if store.manifest.is_hm else ""
            raise DataError(
                f"The data set in {store.root} has no pictures: put them into {store.place_of_pictures}{fetched}, or "
                "import vectors with `hmgpu vectors pictures --from FILE`."
            )
        ids = store.article_ids().sort("article_id").collect()["article_id"]
        self._files = picture_files(folder, {each: each for each in ids})
        if not self._files:
            places = (picture_file(folder, each) for each in ids)
            example = next(filter(None, places), folder / "012" / "0123456789.jpg")
            raise DataError(
                f"{folder} holds no picture of any article: a picture must lie in a folder named by the first three "
                f"characters of the article's id, such as {example}."
            )
        self.ids = list(self._files)
        self.digest = digest_of({each: state_of(file) for each, file in self._files.items()})

    def read(self, ids: Sequence[str]) -> list[Input | Unread]:
        with ThreadPoolExecutor(threads()) as pool:  # decoding releases Python's lock
            return list(pool.map(lambda each: read_picture(self._files[each], (SIDE, SIDE)), ids))

    def place_of(self, each: str) -> str:
        return str(self._files[each])


def inputs_of(store: Store, of: VectorsOf) -> ArticleInputs:
    """Return all inputs of the data set's articles; raises DataError where there are none."""
    return ArticlePictures(store) if of == "pictures" else ArticleTexts(store)
