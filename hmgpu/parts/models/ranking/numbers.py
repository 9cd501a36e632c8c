"""Normalised numbers for a network, whatever their scale and wherever they are missing."""

from collections.abc import Sequence

import torch
from torch import nn

from hmgpu.parts.examples import Examples
from hmgpu.parts.models.ranking.moments import FAR, moments_of


class Numbers(nn.Module):
    """A layer that turns raw numbers (rows, width) into normalised ones (rows, width + gaps).

    A column without negative numbers in the training data is replaced by log(1 + x), which leaves shares about as they
    are and tames counts, prices and days. Then each column is normalised. A missing number becomes the mean, and each
    of the columns `gaps`, in which some were missing, gets another column that marks them: "not proposed by this
    retriever" is not a rank.
    """

    logged: torch.Tensor
    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, width: int, gaps: Sequence[int]) -> None:
        super().__init__()
        self.width, self.gaps = width, list(gaps)
        self.register_buffer("logged", torch.zeros(width, dtype=torch.bool))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        missing = raw.isnan()
        known = torch.where(missing, 0.0, raw)
        known = torch.where(self.logged, known.clamp(min=0).log1p(), known)
        normal = ((known - self.mean) / self.deviation).clamp(-FAR, FAR)
        return torch.cat([torch.where(missing, 0.0, normal), missing[:, self.gaps].float()], dim=1)


def measured(examples: Examples, names: Sequence[str]) -> Numbers:
    """Return `Numbers` for the columns `names`, with the means and standard deviations of `examples`."""
    moments = moments_of(examples, names)
    numbers = Numbers(len(names), moments.gaps)
    for name in ("logged", "mean", "deviation"):
        getattr(numbers, name).copy_(torch.from_numpy(getattr(moments, name)))
    return numbers
