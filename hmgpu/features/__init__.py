"""Features: columns that describe candidates to a ranker, one family a file."""

from abc import abstractmethod

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts import Learned, Part


class Feature(Part):
    """One family of columns."""

    @abstractmethod
    def learn(self, history: History) -> Learned:
        """Tables that hold all that `compute` needs. Plans only: nothing is executed here."""

    @abstractmethod
    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """The family's columns for the given pairs.

        Args:
            learned: what `learn` returned.
            pairs: candidates (customer, article, each strategy's score and rank), each pair once.

        Returns:
            The columns, keyed by `customer`, `article` or both, each key once. A key that is missing gets nulls.
        """
