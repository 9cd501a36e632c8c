"""YouTube's network for candidates: from a customer's last articles and fields to a vector among the articles' weights.

Covington et al. 2016 ("Deep neural networks for YouTube recommendations"): the embeddings of what was watched are
averaged, joined by other fields, and put through layers with ReLU; the last layer is a softmax over all videos, trained
by sampling, whose weights are the videos' vectors. Here vectors have length 1, and to an article's weights is added
what a linear layer makes of its numbers: how it sells by now, its price, its age. Articles that sold too little for
weights of their own share theirs, and are told apart by their numbers.
"""

import torch
from torch import nn

from hmgpu.parts.models.towers.encoded_network import SampledSoftmaxNetwork, Side, inputs_of, layers, of_customers
from hmgpu.parts.models.towers.settings import YouTubeDNNSettings
from hmgpu.parts.models.training.batches import Inputs
from hmgpu.parts.part import FittedEncoders

from merlin.schema import Schema, Tags  # isort: skip  (Merlin comes after its patches)


class LatestArticles(nn.Module):
    """A customer's vector: layers over the means of their latest articles' embeddings, and their fields."""

    def __init__(self, columns: Schema, width: int, hidden: tuple[int, ...], dimensions: int) -> None:
        super().__init__()
        self.inputs, self.layers = inputs_of(columns, width), layers(hidden, dimensions)

    def forward(self, inputs: Inputs) -> torch.Tensor:
        return nn.functional.normalize(self.layers(self.inputs(inputs)), dim=1)


class YouTubeDNN(SampledSoftmaxNetwork):
    """A network for customers, and a weight vector for each article that sold often enough."""

    def __init__(self, customer: Schema, article: Schema, settings: YouTubeDNNSettings) -> None:
        super().__init__({"customer": customer, "article": article}, settings)
        self.customers = LatestArticles(customer, settings.width, settings.hidden, settings.dimensions)
        self.articles = nn.Embedding(int(article["article"].int_domain.max) + 1, settings.dimensions)
        self.numbers = [name for name in article.column_names if name != "article"]
        self.now = nn.Linear(len(self.numbers), settings.dimensions, bias=False)

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        if side == "article":
            numbers = torch.stack([inputs[name].flatten().float() for name in self.numbers], dim=1)
            return nn.functional.normalize(self.articles(inputs["article"].flatten()) + self.now(numbers), dim=1)
        vectors: torch.Tensor = self.customers(self.own(inputs, side))
        return vectors


def youtube_dnn(settings: YouTubeDNNSettings, encoders: FittedEncoders) -> YouTubeDNN:
    """Build the network with random weights from torch's generator."""
    article = encoders.schema("article")
    numbers = article.select_by_tag(Tags.CONTINUOUS)
    return YouTubeDNN(of_customers(encoders), Schema([article["article"], *numbers]), settings).initialize()
