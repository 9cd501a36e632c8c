"""The base class of feature families, which describe candidates to a ranker."""

from abc import abstractmethod
from typing import ClassVar

import polars as pl

from hmgpu.parts.part import Learned, Learner


class Feature(Learner):
    """One family of columns."""

    home = "hmgpu.parts.features"

    compares: ClassVar[bool] = False
    """Whether a customer's candidates are compared with each other. Such a family sees all of them; the others may see
    only those that are kept."""

    @abstractmethod
    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """The family's columns for the given pairs.

        Args:
            learned: what `learn` and, of these customers, `learn_customers` returned.
            pairs: candidates (customer, article, each retriever's score and rank), each pair once, sorted by both.

        Returns:
            The columns, keyed by `customer`, `article` or both, each key once. A key that is missing gets nulls. What
            is keyed by both is fastest with a row for each of `pairs` in their order, which left joins with
            `maintain_order="left"` keep: then nothing has to be joined.
        """
