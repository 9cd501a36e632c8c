"""The articles nearest to an article, in every space of vectors that a run has learned or its data set has."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.parquet import read_table
from hmgpu.data.store import Store
from hmgpu.pipeline.served_tables import ARTICLES
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.vectors import RETRIEVER, STEPS, places_of_vectors

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Space:
    """The vectors of some articles, each of whole steps and about length 1, so that every cosine is exact."""

    articles: npt.NDArray[np.int32]
    """Their keys, sorted."""
    vectors: Floats
    offered: npt.NDArray[np.bool_]
    """Which of them may be proposed."""

    @classmethod
    def of(cls, table: pl.DataFrame) -> "Space":
        """Take a table (article, `v…`, on_sale?); without `on_sale` all of them may be proposed."""
        table = table.sort("article")
        found = table.select(places_of_vectors(table.columns)).to_numpy().astype(np.float32)
        lengths = np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        offered = table["on_sale"].to_numpy() == 1 if "on_sale" in table.columns else np.ones(table.height, np.bool_)
        return cls(table["article"].to_numpy(), np.round(found / lengths * STEPS).astype(np.float32), offered)

    def nearest(self, article: int, k: int) -> list[tuple[int, float]] | None:
        """Return the `k` articles of largest cosine, ties by the smaller key; None if the article has no vector."""
        place = int(np.searchsorted(self.articles, article))
        if place == len(self.articles) or self.articles[place] != article:
            return None
        products = np.where(self.offered, self.vectors @ self.vectors[place], -np.inf)
        products[place] = -np.inf
        n = min(k, len(products))
        least = -np.partition(-products, n - 1)[n - 1]
        # All that are as near as the last one, so that ties don't depend on how NumPy partitions.
        places = np.flatnonzero((products >= least) & (products > -np.inf))
        first = places[np.lexsort((places, -products[places]))][:k]
        return [(int(self.articles[each]), float(products[each]) / STEPS**2) for each in first]


@dataclass(frozen=True)
class Spaces:
    """All spaces by name: a retriever's, or what the data set's vectors describe."""

    by_name: dict[str, Space]
    keys: dict[str, int]
    """Articles by their ids."""
    ids: pl.Series

    @classmethod
    def read(cls, run: FinishedRun, store: Store | None) -> "Spaces":
        """Read them. Raises RunError where a file of the run was changed."""
        ids = read_table(run.submitted.file(ARTICLES)).sort("article")
        keys = dict(ids.select("article_id", "article").iter_rows())
        return cls(dict([*_learned(run), *_given(store)]), keys, ids["article_id"])

    def nearest(self, article_id: str, k: int, by: str | None = None) -> tuple[str, list[tuple[str, float]]]:
        """Return the space and the `k` nearest articles in it with their cosines.

        Args:
            article_id: an article.
            k: how many.
            by: the space; None takes the first that has a vector of the article.

        Raises DataError where there is no such article or space, or where the article has no vector.
        """
        if article_id not in self.keys:
            raise DataError(f"article '{article_id}' is not in the run: ids are text, leading zeros and all.")
        if not self.by_name:
            raise DataError("The run has no vectors of articles: a retriever such as als or two_tower learns some.")
        if by is not None and by not in self.by_name:
            raise DataError(f"'{by}' is not a space of vectors: there are {', '.join(self.by_name)}.")
        for name in [by] if by is not None else self.by_name:
            found = self.by_name[name].nearest(self.keys[article_id], k)
            if found is not None:
                return name, [(self.ids[article], cosine) for article, cosine in found]
        raise DataError(f"article '{article_id}' has no vector {f'in {by}' if by else 'at all'}: it was never sold.")


def _learned(run: FinishedRun) -> Iterator[tuple[str, Space]]:
    for step in run.sources:
        if step.folder.name.startswith(RETRIEVER) and "articles.parquet" in step.files:
            table = read_table(step.file("articles.parquet"))
            if "article" in table.columns and places_of_vectors(table.columns) and table.height:
                yield step.folder.name.removeprefix(RETRIEVER), Space.of(table)


def _given(store: Store | None) -> Iterator[tuple[str, Space]]:
    if store is not None:
        for of, vectors in store.manifest.vectors.items():
            yield of, Space.of(read_table(Path(store.root) / vectors.file))
