"""Articles whose text, codes, sales or pictures are similar to what the customer bought lately.

Other customers' purchases play no part, so articles that have hardly sold yet are found too.

Content-based recommendation (Pazzani & Billsus 2007, "Content-based recommendation systems"): a customer's profile is
the mean of the articles that they bought.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.parts.models.space.embedding_mean import EmbeddingMean
from hmgpu.parts.part import Count

One = Literal["metadata", "text", "sales", "sentences", "pictures"]
ENCODED: dict[str, VectorsOf] = {"sentences": "text", "pictures": "pictures"}
"""The vectors of the data set that a value of the setting `of` needs."""
COLUMNS = {"metadata": "product_type", "text": "name"}
"""The column that one needs."""


class Content(EmbeddingMean):
    """Articles nearest to the mean of the customer's latest; as a feature, how near each candidate is to it."""

    of: Literal[One, "mixture"] = "text"
    """What similarity is computed from. metadata: the catalogue's codes (product type, colour, department, …); text:
    the words of names and descriptions; sales: when, at what price, in which channel and to whom an article sold;
    sentences: names and descriptions as vectors of a sentence encoder (`hmgpu vectors text`); pictures: pictures as
    vectors of an image encoder (`hmgpu vectors pictures`); mixture: the weighted mean of several of these
    similarities, of which an article without a text or a picture has fewer."""
    mixture: Annotated[tuple[One, ...], Field(min_length=2)] = ("metadata", "text", "sales")
    """The similarities that are mixed."""
    weights: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    """Their weights, in their order; none: all weigh the same."""
    dimensions: Annotated[int, Field(ge=2)] = 64
    """Length of the vectors (fixed for sales), of each in a mixture; longer ones of an encoder are reduced to it,
    shorter ones are kept."""
    weeks: Count = 8
    """Weeks before the cutoff whose sales describe an article."""

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.of}"

    @property
    def parts(self) -> tuple[One, ...]:
        """What similarity is computed from."""
        return self.mixture if self.of == "mixture" else (self.of,)

    def idle(self) -> Mapping[str, str]:
        alone = {} if self.of == "mixture" else dict.fromkeys(("mixture", "weights"), "with of: mixture")
        weeks = {} if "sales" in self.parts else {"weeks": "with of: sales, or with a mixture that has them"}
        return alone | weeks | ({"dimensions": "with any other of:"} if self.of == "sales" else {})

    @model_validator(mode="after")
    def _weights_are_of_the_mixture(self) -> Self:
        if len(set(self.mixture)) < len(self.mixture):
            raise ValueError("mixture names one twice: name each once, and give it more weight")
        if self.weights and len(self.weights) != len(self.mixture):
            raise ValueError(
                f"weights has {len(self.weights)} numbers for {len(self.mixture)} of mixture: give each one"
            )
        return self

    def needs(self) -> frozenset[str]:
        return frozenset(COLUMNS[of] for of in self.parts if of in COLUMNS)

    def needs_vectors(self) -> frozenset[VectorsOf]:
        return frozenset(ENCODED[of] for of in self.parts if of in ENCODED)

    def vectors(self, history: History) -> pl.DataFrame:
        """Return vectors of length 1 for all articles with a word, a code or a vector.

        With `of: sales`, for all articles that sold in these weeks. Raises DataError if the data set has no vectors
        of the sentences or pictures.
        """
        from hmgpu.parts.models.space.content_vectors import content_vectors, mixed

        engine = self.context.engine
        tables = [content_vectors(history, of, self.dimensions, self.weeks, engine) for of in self.parts]
        return mixed(tables, self.weights or (1.0,) * len(tables)) if self.of == "mixture" else tables[0]

    def reason(self) -> str:
        return "looks or reads like what you buy"
