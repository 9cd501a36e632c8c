"""Vectors of articles from what they are like: codes, words, sales, sentences, pictures."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.data.tables import names

ContentOf = Literal["metadata", "text", "sales", "sentences", "pictures"]
ENCODED: dict[str, VectorsOf] = {"sentences": "text", "pictures": "pictures"}
"""The vectors of the data set that are taken for these."""


def content_vectors(history: History, of: ContentOf, dimensions: int, weeks: int, engine: Engine) -> pl.DataFrame:
    """Return vectors of length 1 (article, `v…` int16) of all articles with a word, a code or a vector, sorted.

    Of sales, for all articles that sold in the last `weeks` weeks. Raises DataError if the data set has no vectors of
    the sentences or pictures.
    """
    if of == "sales":
        from hmgpu.parts.models.space.sales_profile import sales_vectors

        return sales_vectors(history, weeks, engine)
    if of == "sentences" or of == "pictures":
        from hmgpu.parts.models.space.reduced import reduced

        return reduced(engine.collect(history.vectors_of(ENCODED[of]).sort("article")), dimensions)
    from hmgpu.parts.models.space.documents import document_vectors

    table = history.articles.select("article", *_columns(history, of)).sort("article")
    return document_vectors(_documents(engine.collect(table)), dimensions)


def mixed(tables: Sequence[pl.DataFrame], weights: Sequence[float]) -> pl.DataFrame:
    """Return vectors of length 1 (article, `v…` int16) whose products are weighted means of those of all `tables`.

    An article that some of them lack gets the others' alone. Each of `tables` is (article, `v…` int16) of length 1.
    """
    keys = pl.concat([table["article"] for table in tables]).unique().sort().to_frame()
    blocks = []
    for table, weight in zip(tables, weights, strict=True):
        rows = keys.join(table, on="article", how="left", maintain_order="left").drop("article").fill_null(0)
        # Polars would forget the number of rows of a table without columns.
        blocks.append(rows.to_numpy().reshape(keys.height, table.width - 1) * weight**0.5)
    whole = torch.nn.functional.normalize(torch.from_numpy(np.concatenate(blocks, axis=1)), dim=1)
    return quantised(torch.from_numpy(keys["article"].to_numpy().copy()), whole, "article")


def _columns(history: History, of: Literal["metadata", "text"]) -> list[str]:
    """Return the columns that describe what articles are like, as many of them as the retailer has."""
    # Not the product's code: articles of one product are what the retriever same_product proposes.
    columns = names("articles", ["text"] if of == "text" else ["code"])
    return [name for name in columns if history.has(name) and name != "product"]


def _documents(articles: pl.DataFrame) -> pl.DataFrame:
    """Join the columns of `articles` (article, …) into (article, text); each code gets the name of its column."""
    words = [
        pl.col(name) if dtype == pl.String else pl.format(f"{name}{{}}", name)
        for name, dtype in articles.drop("article").schema.items()
    ]
    return articles.select("article", text=pl.concat_str(words, separator=" ", ignore_nulls=True))
