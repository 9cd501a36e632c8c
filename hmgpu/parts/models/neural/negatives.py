"""Extra negatives: articles that were on sale in the week of a batch, drawn by their popularity.

In-batch negatives are only what somebody bought; drawn from everything on sale, they also teach what nobody wants
(Yang et al. 2020, "Mixed negative sampling for learning two-tower neural networks in recommendations").
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import torch

from hmgpu.parts.models.neural.batches import SHARE, Inputs, whole


class OnSaleNegatives:
    """The articles on sale in each week, to draw from."""

    def __init__(self, files: Sequence[Path], count: int, device: str) -> None:
        self.count, self.device = count, device
        self.weeks = {int(file.stem): whole(pl.read_parquet(file), "cpu") for file in files}

    def draw(self, week: int) -> Inputs:
        """`count` articles, with replacement, as torch's generator has it: their encoded columns, key and log draws."""
        articles = self.weeks[week]
        drawn = torch.multinomial(articles[SHARE], self.count, replacement=True)
        return {name: column[drawn].to(self.device) for name, column in articles.items() if name != SHARE}
