"""Two-tower retrieval: the nearest articles in a space into which a network maps customers and articles.

The model is in `neural/towers.py`, after Yi et al. 2019 ("Sampling-bias-corrected neural modeling for large corpus item
recommendations") and Covington et al. 2016. It is trained on the purchases of the weeks before a cutoff, each described
as of its own week. For every History it computes two tables of vectors: new customers get theirs from what is known
about them, new articles from their attributes.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.neural.embedding import EmbeddingWithLatest
from hmgpu.parts.models.neural.settings import TwoTowerSettings
from hmgpu.parts.part import Learned, Trained
from hmgpu.parts.retriever import Candidates


class TwoTower(TwoTowerSettings, Trained, EmbeddingWithLatest):
    """The nearest articles on sale; as a feature, how near each candidate of any retriever is."""

    n: Candidates = 100

    encoded = True
    compares = True

    def idle(self) -> Mapping[str, str]:
        # Removing the setting would change the last bits of trained weights; a changed value is refused until then.
        return {"half_life": "nowhere yet, since a batch holds one week and its equal weights cancel out"}

    def needs_days(self) -> int:
        return 2 * DAYS + 1  # a week to stop by, a week to train on, and articles that were known before it

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"merlin", "nvtabular", "pytorch_lightning"}

    def train(self, history: History, folder: Path, work: Path) -> None:
        from hmgpu.parts.models.neural.two_tower import train  # torch and Merlin take seconds to load

        train(self, history, self.context, folder, work)

    def learn(self, history: History) -> Learned:
        from hmgpu.parts.models.neural.two_tower import article_vectors

        articles, encoded = article_vectors(self, history, self.context)
        return {"articles": self.marked(articles.lazy(), history), "encoded": encoded.lazy()}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        from hmgpu.parts.models.neural.two_tower import customer_vectors

        articles = self.context.engine.collect(learned["encoded"].sort("key"))
        found = {"customers": customer_vectors(self, audience, articles, self.context).lazy()}
        return found | self.bought_latest(learned, audience)

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return self.with_latest(self.near_and_place(learned, pairs), learned, "two_tower_latest")
