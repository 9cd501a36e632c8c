"""Hierarchical softmax: the likeliest articles by the likelihood of their class, and theirs within the class.

Goodman 2001 ("Classes for fast maximum entropy training"), over a customer's latest articles and fields, and trained on
the purchases of the weeks before a cutoff, each described as of its own week; the network is in
`models/towers/hierarchical_softmax.py`. No negatives are sampled: the likelihood of every purchase is computed whole.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hmgpu.parts.models.space.embedding import Scorer
from hmgpu.parts.models.towers.encoded_embedding import EncodedEmbedding
from hmgpu.parts.models.towers.settings import HierarchicalSoftmaxSettings
from hmgpu.parts.part import FittedEncoders
from hmgpu.parts.retriever import Candidates

if TYPE_CHECKING:  # the real import takes seconds
    from hmgpu.parts.models.towers import hierarchical_softmax


class HierarchicalSoftmax(HierarchicalSoftmaxSettings, EncodedEmbedding):
    """The likeliest articles on sale; as a feature, the logarithm of each candidate's likelihood.

    An article has a weight vector of its own in its class, if it sold four times in the days that the workflows were
    fitted on (`encode.days`). Others are not proposed and have no score. Customers who haven't bought yet are known by
    their fields.
    """

    n: Candidates = 100

    column = "log"
    shared = ("articles", "classes")

    def idle(self) -> Mapping[str, str]:
        return {"classes": "without a category (`by`), by which there are as many classes as values"} if self.by else {}

    def needs(self) -> frozenset[str]:
        return frozenset({self.by} if self.by else ())

    def network(self, encoders: FittedEncoders) -> "hierarchical_softmax.HierarchicalSoftmax":
        from hmgpu.parts.models.towers.hierarchical_softmax import hierarchical_softmax

        return hierarchical_softmax(self, encoders)

    def scorer(self) -> Scorer:
        from hmgpu.parts.models.towers.classes import ClassScores

        return ClassScores(self.temperature)
