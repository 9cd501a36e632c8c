"""The common base of retrievers with a trained network, whose scores are features too."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.space.embedding import Embedding
from hmgpu.parts.part import Learned, PartContext, Trained


class TrainingFunctions(Protocol):
    """Functions that train a network and compute what it says; they are of a file, or of an object."""

    def train(self, settings: Any, history: History, context: PartContext, folder: Path, work: Path) -> None:
        """Train on `history`, and save the network in `folder`."""

    def article_tables(self, settings: Any, history: History, context: PartContext) -> dict[str, pl.DataFrame]:
        """Return what is learned of articles: `articles` (article, …), `codes` by which customers are described, …."""

    def customer_tables(
        self, settings: Any, audience: History, codes: pl.DataFrame, context: PartContext
    ) -> dict[str, pl.DataFrame]:
        """Return what is learned of the customers of `audience`, described by `codes`: `customers` (customer, …), …."""


class TrainedEmbedding(Trained, Embedding):
    """The best articles on sale by a network; as a feature, how good each candidate of any retriever is."""

    compares = True

    @abstractmethod
    def training(self) -> TrainingFunctions:
        """Return the functions that train the network; a method, since torch takes seconds to load."""

    def needs_days(self) -> int:
        return 2 * DAYS + 1  # a week to stop by, a week to train on, and something that was known before it

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"pytorch_lightning"}

    def train(self, history: History, folder: Path, work: Path) -> None:
        self.training().train(self, history, self.context, folder, work)

    def learn(self, history: History) -> Learned:
        tables = {
            name: table.lazy() for name, table in self.training().article_tables(self, history, self.context).items()
        }
        return tables | {"articles": self.marked(tables["articles"], history)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        codes = self.context.engine.collect(learned["codes"])
        codes = codes.sort(codes.columns[0])
        tables = self.training().customer_tables(self, audience, codes, self.context)
        return {name: table.lazy() for name, table in tables.items()}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return self.near_and_place(learned, pairs)
