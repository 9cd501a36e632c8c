"""Neural matrix factorisation: a network scores every article on sale for a customer, by what they bought lately.

NeuMF (He, Liao, Zhang, Nie, Hu & Chua 2017, "Neural collaborative filtering"); the network is in
`models/baskets/neumf.py`. Its scores are no products of two vectors, so all of them are computed, some customers at a
time.
"""

from typing import ClassVar

from hmgpu.parts.models.baskets.settings import NeuMFSettings
from hmgpu.parts.models.space.embedding import Scorer
from hmgpu.parts.models.space.trained_embedding import TrainedEmbedding, TrainingFunctions
from hmgpu.parts.retriever import Candidates


class NeuMF(NeuMFSettings, TrainedEmbedding):
    """The articles on sale that a network scores highest; as a feature, the score of each candidate of any retriever.

    A customer is known by their purchases alone: whoever bought nothing lately gets what new customers buy. An article
    is known if it sold before the training.
    """

    column: ClassVar[str] = "logit"
    shared: ClassVar[tuple[str, ...]] = ("articles", "weights")

    n: Candidates = 100

    def scorer(self) -> Scorer:
        from hmgpu.parts.models.baskets.neumf import NeuMFScores  # torch takes seconds to load

        return NeuMFScores(self)

    def training(self) -> TrainingFunctions:
        from hmgpu.parts.models.baskets.basket_vectors import BasketVectors
        from hmgpu.parts.models.baskets.neumf import NeuMF as Network

        return BasketVectors(Network, self.scorer())
