"""What is like the articles that a customer bought lately, by what they are, not by who else bought them.

So articles that have hardly sold yet are found too.

Content-based recommendation (Pazzani & Billsus 2007, "Content-based recommendation systems"): the customer's profile is
the mean of what he bought.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.models.neural.embedding_mean import EmbeddingMean
from hmgpu.parts.part import Count

ENCODED: dict[str, VectorsOf] = {"sentences": "text", "pictures": "pictures"}
"""What the data set's vectors are of, by what is asked for."""


class Content(EmbeddingMean):
    """What is nearest to the mean of the latest articles, and, as a feature, how near every other candidate is."""

    of: Literal["metadata", "text", "sales", "sentences", "pictures"] = "text"
    """metadata: the catalogue's codes (product type, colour, department, …); text: the words of names and descriptions;
    sales: when, at what price, in which channel and to whom an article sold; sentences: names and descriptions as a
    sentence encoder sees them (`hmgpu vectors text`); pictures: as an image encoder does (`hmgpu vectors pictures`)."""
    dimensions: Annotated[int, Field(ge=2)] = 64
    """Numbers in a vector, but of sales; an encoder's that has no more of them is taken as it is."""
    weeks: Count = 8
    """How far back sales are looked at."""

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
        """Of length 1: of all articles with a word, a code or a vector, or, where sales tell, of those sold in these
        weeks. Raises DataError where the data set has no vectors of what is asked for."""
        engine = self.context.engine
        if self.of == "sales":
            from hmgpu.parts.models.neural.sales_profile import sales_vectors

            return sales_vectors(history, self.weeks, engine)
        if self.of == "sentences" or self.of == "pictures":
            from hmgpu.parts.models.neural.reduced import reduced

            made = engine.collect(history.vectors_of(ENCODED[self.of]).sort("article"))
            return reduced(made, self.dimensions, engine, self.context.seed)
        from hmgpu.parts.models.neural.documents import document_vectors

        table = history.articles.select("article", *_described_by(history, self.of)).sort("article")
        return document_vectors(_documents(engine.collect(table)), self.dimensions, engine, self.context.seed)


def _described_by(history: History, of: Literal["metadata", "text"]) -> list[str]:
    """Columns of the articles that say what they are like, of those that the retailer has."""
    # A product's code says no more than that articles are the same: same_product knows that.
    columns = names("articles", ["text"] if of == "text" else ["code"])
    return [name for name in columns if history.has(name) and name != "product"]


def _documents(articles: pl.DataFrame) -> pl.DataFrame:
    """(article, text): all that is said of each of `articles` (article, …); a code with the name of its column."""
    told = [
        pl.col(name) if dtype == pl.String else pl.format(f"{name}{{}}", name)
        for name, dtype in articles.drop("article").schema.items()
    ]
    return articles.select("article", text=pl.concat_str(told, separator=" ", ignore_nulls=True))
