"""The common base of filters: retrievers that propose another one's candidates without some of the articles."""

from abc import abstractmethod
from pathlib import Path
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
"""The prefix of the inner retriever's tables. A filter's own tables don't have it, and with a filter in a filter the
inner one's tables have it once more, so that no two tables have the same name."""


def _without_model(inner: Retriever) -> Retriever:
    if isinstance(inner, Trained) or inner.encoded:
        raise ValueError(f"'{inner.kind}' has a model of its own, which a filter can't train; choose another retriever")
    return inner


Inner = Annotated[Retriever, BeforeValidator(lambda given: part_of(Retriever, given)), AfterValidator(_without_model)]
"""The retriever that a setting `{kind: ..., ...}` asks for."""


class Filter(Retriever):
    """The candidates of another retriever in its own order, without some of the articles.

    Give the other retriever a larger `n` than the filter: the candidates that are left move up.
    """

    of: Inner = Field(default_factory=lambda: build(Retriever, "repurchase", {"n": 60}))
    """The retriever whose candidates are filtered: its kind and settings, with a larger `n` than the filter's."""

    @abstractmethod
    def kept(self, history: History) -> pl.LazyFrame:
        """Return (article): the articles that may be proposed, each once."""

    def settings(self) -> dict[str, Any]:
        return super().settings() | {OF: self.of.settings()}

    def needs(self) -> frozenset[str]:
        return self.of.needs()

    def needs_days(self) -> int:
        return self.of.needs_days()

    def needs_packages(self) -> frozenset[str]:
        return self.of.needs_packages()

    def needs_vectors(self) -> frozenset[VectorsOf]:
        return self.of.needs_vectors()

    def uses_vectors(self) -> frozenset[VectorsOf]:
        return self.of.uses_vectors()

    def needs_pictures(self) -> bool:
        return self.of.needs_pictures()

    def reads(self) -> tuple[Path, ...]:
        return self.of.reads()

    def bind(self, context: PartContext) -> Self:
        return super().bind(context).model_copy(update={OF: self.of.bind(context)})

    def learn(self, history: History) -> Learned:
        return _outside(self.of.learn(history)) | {KEPT: self.kept(history)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        return _outside(self.of.learn_customers(_inside(learned), audience))

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        found = self.of.retrieve(_inside(learned), customers).drop("rank")
        return top_n(found.join(learned[KEPT], on="article", how="semi"), self.n, by="customer")

    def reason(self) -> str:
        return self.of.reason()

    def because(self, learned: Learned, pairs: pl.LazyFrame, audience: History) -> pl.LazyFrame | None:
        return self.of.because(_inside(learned), pairs, audience)


def innermost(part: Retriever, learned: Learned | None = None) -> tuple[Retriever, Learned]:
    """Return the retriever that proposes (`part`, or the one that it filters), and that retriever's tables."""
    if isinstance(part, Filter):
        return innermost(part.of, _inside(learned or {}))
    return part, learned or {}


def _outside(tables: Learned) -> Learned:
    return {f"{WITHIN}{name}": table for name, table in tables.items()}


def _inside(tables: Learned) -> Learned:
    return {name.removeprefix(WITHIN): table for name, table in tables.items() if name.startswith(WITHIN)}
