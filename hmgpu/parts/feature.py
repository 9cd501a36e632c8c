"""The base class of feature families, which describe candidates to a ranker."""

from abc import abstractmethod
from typing import ClassVar

import polars as pl

from hmgpu.parts.part import Learned, Learner


class Feature(Learner):
    """A feature family: it adds one or more columns to each candidate."""

    home = "hmgpu.parts.features"

    compares: ClassVar[bool] = False
    """Whether the family compares a customer's candidates with each other. Such a family is given all of them; the
    others may be given only those that a quick ranker kept."""

    @abstractmethod
    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Compute the family's columns for the given pairs.

        Args:
            learned: the tables that `learn` and, for these customers, `learn_customers` returned.
            pairs: candidates (customer, article, each retriever's score and rank), each pair once, sorted by customer
                and article.

        Returns:
            The columns, keyed by `customer`, `article` or both, each key once. A missing key gets nulls. A table keyed
            by both is fastest with one row for each of `pairs` in the same order, because then nothing has to be
            joined; left joins with `maintain_order="left"` keep that order.
        """
