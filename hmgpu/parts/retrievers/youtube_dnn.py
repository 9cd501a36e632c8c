"""YouTube's candidate network: the nearest articles to what a customer bought last, with their age and other fields.

Covington et al. 2016 ("Deep neural networks for YouTube recommendations"), trained by a sampled softmax on the
purchases of the weeks before a cutoff, each described as of its own week; the network is in
`models/towers/youtube_dnn.py`.
"""

from typing import TYPE_CHECKING

from hmgpu.parts.models.towers.encoded_embedding import EncodedEmbedding
from hmgpu.parts.models.towers.settings import YouTubeDNNSettings
from hmgpu.parts.part import FittedEncoders
from hmgpu.parts.retriever import Candidates

if TYPE_CHECKING:  # the real import takes seconds
    from hmgpu.parts.models.towers import youtube_dnn


class YouTubeDNN(YouTubeDNNSettings, EncodedEmbedding):
    """The nearest articles on sale to a customer's latest; as a feature, how near each candidate is.

    An article is known by a weight vector of its own, which those have that sold four times in the days that the
    workflows were fitted on (`encode.days`), and by its numbers: sales by now, price, age. New and rare ones share a
    weight vector. Customers who haven't bought yet are known by their fields.
    """

    n: Candidates = 100

    def network(self, encoders: FittedEncoders) -> "youtube_dnn.YouTubeDNN":
        from hmgpu.parts.models.towers.youtube_dnn import youtube_dnn

        return youtube_dnn(self, encoders)
