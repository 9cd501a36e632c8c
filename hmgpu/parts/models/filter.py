"""What filters have in common: retrievers that propose what another one does, less what can't be bought any more."""

from abc import abstractmethod
from typing import Annotated, Any, Self

import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field

from hmgpu.core.plans import top_n
from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.parts.from_yaml import part_of
from hmgpu.parts.part import Learned, PartContext, Trained, build
from hmgpu.parts.retriever import Retriever

OF = "of"
KEPT = "kept"
WITHIN = "of_"
"""How the names of the inner retriever's tables begin here. No filter's own do, and of two filters in one another the
inner one's begin with it, so that no two tables have one name."""


def _without_model(inner: Retriever) -> Retriever:
    if isinstance(inner, Trained) or inner.encoded:
        raise ValueError(f"'{inner.kind}' has a model of its own, which a filter can't train; name one without")
    return inner


Inner = Annotated[Retriever, BeforeValidator(lambda given: part_of(Retriever, given)), AfterValidator(_without_model)]
"""The retriever that a setting `{kind: ..., ...}` asks for."""


class Filter(Retriever):
    """The candidates of another retriever, as it scores and orders them, without some of the articles.

    It should be asked for more candidates than are wanted: those that are left move up.
    """

    of: Inner = Field(default_factory=lambda: build(Retriever, "repurchase", {"n": 60}))
    """The retriever whose candidates are filtered: its kind and settings."""

    @abstractmethod
    def kept(self, history: History) -> pl.LazyFrame:
        """(article) of those that may be proposed, each once."""

    def settings(self) -> dict[str, Any]:
        return super().settings() | {OF: self.of.settings()}

    def needs(self) -> frozenset[str]:
        return self.of.needs()

    def needs_packages(self) -> frozenset[str]:
        return self.of.needs_packages()

    def needs_vectors(self) -> frozenset[VectorsOf]:
        return self.of.needs_vectors()

    def bind(self, context: PartContext) -> Self:
        return super().bind(context).model_copy(update={OF: self.of.bind(context)})

    def learn(self, history: History) -> Learned:
        return _outside(self.of.learn(history)) | {KEPT: self.kept(history)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        return _outside(self.of.learn_customers(_inside(learned), audience))

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        found = self.of.retrieve(_inside(learned), customers).drop("rank")
        return top_n(found.join(learned[KEPT], on="article", how="semi"), self.n, by="customer")


def innermost(part: Retriever, learned: Learned | None = None) -> tuple[Retriever, Learned]:
    """The retriever that proposes, `part` itself or what it filters, and its own of the tables that `part` learned."""
    if isinstance(part, Filter):
        return innermost(part.of, _inside(learned or {}))
    return part, learned or {}


def _outside(tables: Learned) -> Learned:
    return {f"{WITHIN}{name}": table for name, table in tables.items()}


def _inside(tables: Learned) -> Learned:
    return {name.removeprefix(WITHIN): table for name, table in tables.items() if name.startswith(WITHIN)}
