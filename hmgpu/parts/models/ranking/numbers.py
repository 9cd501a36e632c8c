"""Normalised numbers for a network, whatever their scale and wherever they are missing."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from hmgpu.parts.examples import Examples, numbers_of

FAR = 8.0  # standard deviations at which numbers are cut off, so that no single one decides alone


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
    count, missing = np.zeros(len(names)), np.zeros(len(names))
    least = np.full(len(names), np.inf)
    sums, squares = np.zeros((2, len(names))), np.zeros((2, len(names)))
    for table in examples.with_purchases():
        raw = numbers_of(table, names).astype(np.float64)
        absent = np.isnan(raw)
        raw[absent] = 0.0
        count, missing = count + (~absent).sum(0), missing + absent.sum(0)
        least = np.minimum(least, np.where(absent, np.inf, raw).min(0))
        for i, values in enumerate((raw, np.log1p(raw.clip(min=0)))):
            sums[i] += values.sum(0)
            squares[i] += (values**2).sum(0)
    logged = least >= 0
    mean, square = (np.where(logged, total[1], total[0]) / np.maximum(count, 1) for total in (sums, squares))
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    numbers = Numbers(len(names), np.flatnonzero(missing).tolist())
    numbers.logged.copy_(torch.from_numpy(logged))
    numbers.mean.copy_(torch.from_numpy(mean))
    # A constant column carries no information; it must not be blown up where it differs later.
    numbers.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-6 * (1 + abs(mean)), deviation, 1.0)))
    return numbers
