"""Articles whose text, codes, sales or pictures are similar to what the customer bought lately.

Other customers' purchases play no part, so articles that have hardly sold yet are found too.

Content-based recommendation (Pazzani & Billsus 2007, "Content-based recommendation systems"): a customer's profile is
the mean of the articles that they bought.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.models.space.embedding_mean import EmbeddingMean
from hmgpu.parts.part import Count

ENCODED: dict[str, VectorsOf] = {"sentences": "text", "pictures": "pictures"}
"""The vectors of the data set that a value of the setting `of` needs."""


class Content(EmbeddingMean):
    """Articles nearest to the mean of the customer's latest; as a feature, how near each candidate is to it."""

    of: Literal["metadata", "text", "sales", "sentences", "pictures"] = "text"
    """What similarity is computed from. metadata: the catalogue's codes (product type, colour, department, …); text:
    the words of names and descriptions; sales: when, at what price, in which channel and to whom an article sold;
    sentences: names and descriptions as vectors of a sentence encoder (`hmgpu vectors text`); pictures: pictures as
    vectors of an image encoder (`hmgpu vectors pictures`)."""
    dimensions: Annotated[int, Field(ge=2)] = 64
    """Length of the vectors (fixed for sales); longer ones of an encoder are reduced to it, shorter ones are kept."""
    weeks: Count = 8
    """Weeks before the cutoff whose sales describe an article."""

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.of}"

    def idle(self) -> Mapping[str, str]:
        return {"dimensions": "with any other of:"} if self.of == "sales" else {"weeks": "with of: sales"}

    def needs(self) -> frozenset[str]:
        columns = {"metadata": frozenset({"product_type"}), "text": frozenset({"name"})}
        return columns.get(self.of, frozenset())

    def needs_vectors(self) -> frozenset[VectorsOf]:
        return frozenset({ENCODED[self.of]}) if self.of in ENCODED else frozenset()

    def vectors(self, history: History) -> pl.DataFrame:
        """Return vectors of length 1 for all articles with a word, a code or a vector.

        With `of: sales`, for all articles that sold in these weeks. Raises DataError if the data set has no vectors
        of the sentences or pictures.
        """
        engine = self.context.engine
        if self.of == "sales":
            from hmgpu.parts.models.space.sales_profile import sales_vectors

            return sales_vectors(history, self.weeks, engine)
        if self.of == "sentences" or self.of == "pictures":
            from hmgpu.parts.models.space.reduced import reduced

            encoded = engine.collect(history.vectors_of(ENCODED[self.of]).sort("article"))
            return reduced(encoded, self.dimensions)
        from hmgpu.parts.models.space.documents import document_vectors

        table = history.articles.select("article", *_content_columns(history, self.of)).sort("article")
        return document_vectors(_documents(engine.collect(table)), self.dimensions)


def _content_columns(history: History, of: Literal["metadata", "text"]) -> list[str]:
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
