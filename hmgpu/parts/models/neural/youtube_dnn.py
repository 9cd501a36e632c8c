"""YouTube's network for candidates: from a customer's last articles and fields to a vector among the articles' weights.

Covington et al. 2016 ("Deep neural networks for YouTube recommendations"): the embeddings of what was watched are
averaged, joined by other fields, and put through layers with ReLU; the last layer is a softmax over all videos, trained
by sampling, whose weights are the videos' vectors. Here vectors have length 1.
"""

import torch
from torch import nn

from hmgpu.parts.models.neural.batches import Inputs
from hmgpu.parts.models.neural.encoded_network import SampledSoftmaxNetwork, Side, inputs_of, layers, without
from hmgpu.parts.models.neural.settings import YouTubeDNNSettings
from hmgpu.parts.part import FittedEncoders

from merlin.schema import Schema  # isort: skip  (Merlin comes after its patches)


class LatestArticles(nn.Module):
    """A customer's vector: layers over the means of their latest articles' embeddings, and their fields."""

    def __init__(self, columns: Schema, width: int, hidden: tuple[int, ...], dimensions: int) -> None:
        super().__init__()
        self.inputs, self.layers = inputs_of(columns, width), layers(hidden, dimensions)

    def forward(self, inputs: Inputs) -> torch.Tensor:
        return nn.functional.normalize(self.layers(self.inputs(inputs)), dim=1)


class YouTubeDNN(SampledSoftmaxNetwork):
    """A network for customers, and a weight vector for each article that sold often enough."""

    own_weights = True

    def __init__(self, customer: Schema, article: Schema, settings: YouTubeDNNSettings) -> None:
        super().__init__({"customer": customer, "article": article}, settings)
        self.customers = LatestArticles(customer, settings.width, settings.hidden, settings.dimensions)
        self.articles = nn.Embedding(int(article["article"].int_domain.max) + 1, settings.dimensions)

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        if side == "article":
            return nn.functional.normalize(self.articles(inputs["article"].flatten()), dim=1)
        vectors: torch.Tensor = self.customers(self.own(inputs, side))
        return vectors


def described(encoders: FittedEncoders) -> tuple[Schema, Schema]:
    """Return the columns of customers, without their own id, and the one column that articles have weights by."""
    article = encoders.schema("article")
    return without(encoders.schema("customer", "context"), "customer"), Schema([article["article"]])


def youtube_dnn(settings: YouTubeDNNSettings, encoders: FittedEncoders) -> YouTubeDNN:
    """Build the network with random weights from torch's generator."""
    return YouTubeDNN(*described(encoders), settings).initialize()
