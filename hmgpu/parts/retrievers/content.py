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
        from hmgpu.parts.models.space.content_vectors import content_vectors

        return content_vectors(history, self.of, self.dimensions, self.weeks, self.context.engine)
