"""The two-tower model, built from Merlin's blocks: vectors of customers and articles, closer the likelier a purchase.

Yi et al. 2019 ("Sampling-bias-corrected neural modeling for large corpus item recommendations"), with the latest
articles of a customer pooled as in Covington et al. 2016 ("Deep neural networks for YouTube recommendations").
"""

import torch
from torch import nn

from hmgpu.parts.models.towers.encoded_network import SampledSoftmaxNetwork, Side, inputs_of, layers
from hmgpu.parts.models.towers.settings import TwoTowerSettings
from hmgpu.parts.models.training.batches import Inputs
from hmgpu.parts.part import FittedEncoders

from merlin.schema import Schema  # isort: skip  (Merlin comes after its patches)


class Towers(SampledSoftmaxNetwork):
    """Both towers and the embedding tables that they share.

    A customer's latest articles are pooled from the same tables that describe the articles themselves.
    """

    fades = False  # it would change trained weights; see TwoTower.idle

    def __init__(self, customer: Schema, article: Schema, settings: TwoTowerSettings) -> None:
        columns: dict[Side, Schema] = {"customer": customer, "article": article}
        super().__init__(columns, settings)
        self.inputs = inputs_of(Schema([*customer, *article]), settings.width)
        self.towers = nn.ModuleDict({side: layers(settings.hidden, settings.dimensions) for side in columns})

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        return nn.functional.normalize(self.towers[side](self.inputs(self.own(inputs, side))), dim=1)


def towers(settings: TwoTowerSettings, encoders: FittedEncoders) -> Towers:
    """Build towers with random weights from torch's generator."""
    return Towers(encoders.schema("customer", "context"), encoders.schema("article"), settings).initialize()
