"""The feature families of a pipeline: which part computes which columns, under which name, and how early."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from hmgpu.parts.feature import Feature
from hmgpu.parts.models.filter import innermost
from hmgpu.parts.part import Learned
from hmgpu.parts.retriever import Retriever


@dataclass(frozen=True)
class Family:
    """One family of columns: a feature, or a retriever that describes every candidate, whoever proposed it."""

    name: str
    """Its place in the config, such as `features.price_fit` or `retrievers.als`."""
    part: Feature
    tables: Learned
    """What the part learned."""
    prefix: str | None
    """What replaces the part's kind at the beginning of its columns' names; None leaves them as they are."""
    early: bool
    """Whether its columns are computed before it is decided which candidates go on."""

    def compute(self, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Return the family's columns for `pairs` (customer, article, …)."""
        columns = self.part.compute(self.tables, pairs)
        return columns if self.prefix is None else columns.rename(self._renamed)

    def _renamed(self, column: str) -> str:
        kind = self.part.kind
        ours = column == kind or column.startswith(f"{kind}_")
        return f"{self.prefix}{column.removeprefix(kind)}" if ours else column


def families(
    retrievers: Mapping[str, Retriever],
    features: Mapping[str, Feature],
    early: frozenset[str],
    learned: Mapping[str, Learned],
) -> Iterator[Family]:
    """Yield every family, retrievers first, in the order of the config.

    Args:
        early: names of features that the ranker looks at early. Families that compare candidates are always early.
        learned: what each part learned, by the name of its step.

    Parts are bound to their context already (see `Part.bind`).
    """
    for name, retriever in retrievers.items():
        # A filter describes candidates as the retriever inside it does.
        part, tables = innermost(retriever, learned[retriever_step(name)])
        if isinstance(part, Feature):
            prefix = None if name == part.kind else name  # so that a config may have two of a kind
            yield Family(f"retrievers.{name}", part, tables, prefix, part.compares)
    for name, feature in features.items():
        tables = learned[feature_step(name)]
        yield Family(f"features.{name}", feature, tables, None, feature.compares or name in early)


def retriever_step(name: str) -> str:
    """Return the name of the step in which the retriever `name` learns."""
    return f"retriever-{name}"


def feature_step(name: str) -> str:
    """Return the name of the step in which the feature family `name` learns."""
    return f"feature-{name}"
