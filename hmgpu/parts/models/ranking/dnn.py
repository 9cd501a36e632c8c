"""A dense network on a candidate's numbers: batch normalisation, dropout, swish layers and a skip around them."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from hmgpu.parts.models.ranking.network import Columns, Logits, RankingNetwork, Rows
from hmgpu.parts.models.ranking.numbers import Numbers
from hmgpu.parts.models.ranking.settings import DNNSettings


class _BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that takes the running figures for a batch of a single row, which has no deviation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 1:
            return super().forward(x)
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class Network(RankingNetwork):
    """The hidden layers, and the normalised numbers next to the last one, so that the score also sees them as such."""

    def __init__(self, settings: DNNSettings, columns: Columns, numbers: Numbers) -> None:
        super().__init__(settings, columns, numbers)
        width = numbers.width + len(numbers.gaps)
        widths = (width, *settings.hidden)
        self.norm, self.dropout = _BatchNorm(width), nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.out = Logits(widths[-1] + width, 1)

    def forward(self, rows: Rows) -> torch.Tensor:
        x = normal = self.dropout(self.norm(self.numbers(rows.numbers)))
        for layer in self.layers:
            x = functional.silu(layer(x))
        logits: torch.Tensor = self.out(torch.cat([x, normal], dim=1))
        return logits.squeeze(1)
