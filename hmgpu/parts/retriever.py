"""The base class of retrievers, which propose candidate articles for customers."""

from abc import abstractmethod
from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.parts.candidates import MOST
from hmgpu.parts.part import Learned, Learner

Candidates = Annotated[int, Field(ge=1, le=MOST)]


class Retriever(Learner):
    """Propose at most `n` articles for each customer."""

    home = "hmgpu.parts.retrievers"

    n: Candidates = 40
    """The most candidates that are proposed to each customer. More of them find more of what will be bought, and cost
    time and memory in every later step."""

    @abstractmethod
    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        """Propose candidates for the given customers.

        Args:
            learned: the tables that `learn` and, for these customers, `learn_customers` returned.
            customers: (customer int32), each once.

        Returns:
            (customer int32, article int32, score, rank int32), each pair once: a higher score is better, rank 1 is each
            customer's best candidate, and ties break on the article.
        """
