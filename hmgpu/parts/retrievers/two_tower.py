"""Two-tower retrieval: the nearest articles in a space into which a network maps customers and articles.

The model is in `towers/towers.py`, after Yi et al. 2019 ("Sampling-bias-corrected neural modeling for large corpus item
recommendations") and Covington et al. 2016. It is trained on the purchases of the weeks before a cutoff, each described
as of its own week. For every History it computes two tables of vectors: new customers get theirs from what is known
about them, new articles from their attributes.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.models.space.embedding import EmbeddingWithLatest
from hmgpu.parts.models.towers.encoded_embedding import EncodedEmbedding
from hmgpu.parts.models.towers.settings import TwoTowerSettings
from hmgpu.parts.part import FittedEncoders, Learned
from hmgpu.parts.retriever import Candidates

if TYPE_CHECKING:  # the real import takes seconds
    from hmgpu.parts.models.towers.towers import Towers


class TwoTower(TwoTowerSettings, EncodedEmbedding, EmbeddingWithLatest):
    """The nearest articles on sale; as a feature, how near each candidate of any retriever is."""

    n: Candidates = 100

    weights = "towers.npz"

    def idle(self) -> Mapping[str, str]:
        # Removing the setting would change the last bits of trained weights; a changed value is refused until then.
        return {"half_life": "nowhere yet, since a batch holds one week and its equal weights cancel out"}

    def network(self, encoders: FittedEncoders) -> "Towers":
        from hmgpu.parts.models.towers.towers import towers

        return towers(self, encoders)

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        return super().learn_customers(learned, audience) | self.bought_latest(learned, audience)

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return self.with_latest(super().compute(learned, pairs), learned, "two_tower_latest")
