"""DSSM: two networks over bags of words, whose cosine says how likely a customer buys an article.

Huang et al. 2013 ("Learning deep structured semantic models for web search using clickthrough data"): a sparse bag is
projected, then mapped by tanh layers, on each side by weights of its own. Here a word is a value of a field: of the
customer, of their latest articles, or of the article itself.
"""

from itertools import pairwise

import torch
from torch import nn

from hmgpu.parts.models.towers.encoded_network import SampledSoftmaxNetwork, Side, of_customers
from hmgpu.parts.models.towers.settings import DSSMSettings
from hmgpu.parts.models.training.batches import OFFSETS, VALUES, Inputs
from hmgpu.parts.part import FittedEncoders

from merlin.schema import Schema, Tags  # isort: skip  (Merlin comes after its patches)


class Bag(nn.Module):
    """The first layer: a bag of values and some numbers, projected. A list counts as one value, the mean of its own."""

    def __init__(self, columns: Schema, width: int) -> None:
        super().__init__()
        self.words = nn.ModuleDict(
            {
                column.name: nn.EmbeddingBag(int(column.int_domain.max) + 1, width, mode="mean")
                for column in columns.select_by_tag(Tags.CATEGORICAL)
            }
        )
        self.numbers = columns.select_by_tag(Tags.CONTINUOUS).column_names
        self.projected = nn.Linear(len(self.numbers), width)

    def forward(self, inputs: Inputs) -> torch.Tensor:
        numbers = torch.stack([inputs[name].flatten().float() for name in self.numbers], dim=1)
        found: torch.Tensor = self.projected(numbers)
        for name, words in self.words.items():
            if name in inputs:
                found = found + words(inputs[name].flatten()[:, None])
            else:
                found = found + words(inputs[name + VALUES], inputs[name + OFFSETS][:-1])
        return found


class DSSM(SampledSoftmaxNetwork):
    """Both networks. A customer's own id is not among their words, so that all are known by what is known of them."""

    def __init__(self, columns: dict[Side, Schema], settings: DSSMSettings) -> None:
        super().__init__(columns, settings)
        widths = [*settings.hidden, settings.dimensions]
        self.sides = nn.ModuleDict({side: _deep(schema, widths) for side, schema in columns.items()})

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        return nn.functional.normalize(self.sides[side](self.own(inputs, side)), dim=1)


def _deep(columns: Schema, widths: list[int]) -> nn.Module:
    """Return the network of one side: the projected bag, and a tanh and a linear layer for each further width."""
    layers: list[nn.Module] = [Bag(columns, widths[0])]
    for before, after in pairwise(widths):
        layers += [nn.Tanh(), nn.Linear(before, after)]
    return nn.Sequential(*layers)


def dssm(settings: DSSMSettings, encoders: FittedEncoders) -> DSSM:
    """Build the network with random weights from torch's generator."""
    return DSSM({"customer": of_customers(encoders), "article": encoders.schema("article")}, settings).initialize()
