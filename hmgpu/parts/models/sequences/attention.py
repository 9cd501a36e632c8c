"""Blocks of causal self-attention that see real gaps of days.

Pre-norm blocks whose outputs are gated (LiGR: Borisyuk et al. 2025, "From features to transformers"; in SASRec:
Tikhonovich et al. 2025, "eSASRec"). Queries and keys are turned by their days (Su et al. 2021, "RoFormer").
"""

import math

import torch
from torch import nn
from torch.nn import functional

PERIODS = (4.0, 1500.0)  # days in which the fastest and the slowest pair of numbers turn once
WIDER = 2  # how much wider a block's hidden layer is than its input


class Block(nn.Module):
    """Attention and a SwiGLU layer, each normalised before and gated after."""

    def __init__(self, dimensions: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(dimensions) for _ in range(2))
        self.gates = nn.ModuleList(nn.Linear(dimensions, dimensions) for _ in range(2))
        self.into, self.out = nn.Linear(dimensions, 3 * dimensions), nn.Linear(dimensions, dimensions)
        self.wide = nn.Linear(dimensions, 2 * WIDER * dimensions)
        self.narrow = nn.Linear(WIDER * dimensions, dimensions)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        for step, norm, gate in zip((self._attend, self._think), self.norms, self.gates, strict=True):
            x = x + self.dropout(step(norm(x), turn)) * torch.sigmoid(gate(x))
        return x

    def _attend(self, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        rows, width, dimensions = x.shape
        query, key, value = self.into(x).view(rows, width, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key = (_turned(each, turn).to(value.dtype) for each in (query, key))
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        found: torch.Tensor = self.out(seen.transpose(1, 2).reshape(rows, width, dimensions))
        return found

    def _think(self, x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        gate, value = self.wide(x).chunk(2, dim=-1)
        found: torch.Tensor = self.narrow(functional.silu(gate) * value)
        return found


def turning(days: torch.Tensor, dimensions: int) -> torch.Tensor:
    """Return cosine and sine of the angles by which each pair of numbers turns: (2, rows, 1, width, pairs)."""
    fastest, slowest = PERIODS
    step = torch.arange(dimensions // 2, device=days.device) / max(1, dimensions // 2 - 1)
    angles = days[:, None, :, None] * (2 * math.pi / (fastest * (slowest / fastest) ** step))
    return torch.stack([angles.cos(), angles.sin()])


def _turned(x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Turn each pair of numbers of `x` (rows, heads, width, dimensions)."""
    (cosine, sine), (first, second) = turn, x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
