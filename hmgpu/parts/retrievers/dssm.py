"""DSSM: the nearest articles by two networks over bags of fields, one for customers and one for articles.

Huang et al. 2013 ("Learning deep structured semantic models for web search using clickthrough data"), trained by a
sampled softmax on the purchases of the weeks before a cutoff, each described as of its own week; the network is in
`models/towers/dssm.py`. Unlike those of `two_tower`, its sides share no embeddings, and it doesn't know who a customer
is, only what they bought and what is known of them.
"""

from typing import TYPE_CHECKING

from hmgpu.parts.models.towers.encoded_embedding import EncodedEmbedding
from hmgpu.parts.models.towers.settings import DSSMSettings
from hmgpu.parts.part import FittedEncoders
from hmgpu.parts.retriever import Candidates

if TYPE_CHECKING:  # the real import takes seconds
    from hmgpu.parts.models.towers import dssm


class DSSM(DSSMSettings, EncodedEmbedding):
    """The nearest articles on sale by their fields; as a feature, how near each candidate of any retriever is.

    New articles are known by their fields, new customers by what is known of them.
    """

    n: Candidates = 100

    def network(self, encoders: FittedEncoders) -> "dssm.DSSM":
        from hmgpu.parts.models.towers.dssm import dssm

        return dssm(self, encoders)
