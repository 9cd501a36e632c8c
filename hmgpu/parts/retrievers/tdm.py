"""Tree-based deep model: articles are found in a tree, from the root down, by how likely a customer buys below a node.

Zhu et al. 2018 ("Learning tree-based deep models for recommender systems"), with two levels above the articles unless
set, trained on the purchases of the weeks before a cutoff, each described as of its own week; the network is in
`models/towers/tdm.py`. The first tree is by who buys an article, later ones are by the vectors that were learned.
"""

from typing import TYPE_CHECKING

from hmgpu.parts.models.space.embedding import Scorer
from hmgpu.parts.models.towers.encoded_embedding import EncodedEmbedding
from hmgpu.parts.models.towers.settings import TDMSettings
from hmgpu.parts.part import FittedEncoders
from hmgpu.parts.retriever import Candidates

if TYPE_CHECKING:  # the real import takes seconds
    from hmgpu.parts.models.towers import tdm


class TDM(TDMSettings, EncodedEmbedding):
    """The best articles on sale that a beam through the tree comes to; as a feature, the score of each candidate.

    An article has a place in the tree if it sold four times in the days that the workflows were fitted on
    (`encode.days`). Others are not proposed and have no score. Customers who haven't bought yet are known by their
    fields.
    """

    n: Candidates = 100

    column = "logit"
    shared = ("articles", "weights")

    def network(self, encoders: FittedEncoders) -> "tdm.TDM":
        from hmgpu.parts.models.towers.tdm import tdm

        return tdm(self, encoders)

    def scorer(self) -> Scorer:
        from hmgpu.parts.models.towers.tree_search import TreeScores

        return TreeScores(self)
