"""The base class of retrievers, which propose candidate articles for customers."""

from abc import abstractmethod
from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.parts.candidates import MOST
from hmgpu.parts.part import Learned, Learner

Candidates = Annotated[int, Field(ge=1, le=MOST)]


class Retriever(Learner):
    """Proposes at most `n` articles for each customer."""

    home = "hmgpu.parts.retrievers"

    n: Candidates = 40
    """Candidates a customer."""

    @abstractmethod
    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        """Candidates of the given customers.

        Args:
            learned: what `learn` and, of these customers, `learn_customers` returned.
            customers: (customer int32), each once.

        Returns:
            (customer int32, article int32, score, rank int32): a higher score is better, rank 1 is the best of each
            customer, ties break on the article, each pair occurs once.
        """
