"""The base class of retrievers, which propose candidate articles for customers."""

from abc import abstractmethod
from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
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

    def reason(self) -> str:
        """Say why a candidate is proposed, as half a sentence to its customer: `best seller`.

        In it `{because}` stands for the article that `because` returns, `{when}` for the day on which the customer last
        bought that, and any other name for the candidate's value of that column of the catalogue.
        """
        return f"found by {self.kind}"

    def because(self, learned: Learned, pairs: pl.LazyFrame, audience: History) -> pl.LazyFrame | None:
        """Return the customer's own article that led to each of its candidates; None where there is no one article.

        Args:
            learned: as in `retrieve`.
            pairs: (customer, article), candidates that it proposed, each once.
            audience: what is known of these customers.

        Returns:
            (customer, article, because int32: an article that they bought), each pair at most once.
        """
        return None
