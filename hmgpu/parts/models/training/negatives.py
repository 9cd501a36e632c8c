"""Extra negatives: articles that were on sale in the week of a batch, sampled by their popularity.

In-batch negatives are only articles that somebody bought; extra ones from everything on sale also teach what nobody
wants (Yang et al. 2020, "Mixed negative sampling for learning two-tower neural networks in recommendations").
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from hmgpu.core.parquet import read_table
from hmgpu.parts.models.training.batches import SHARE, Inputs, whole


class OnSaleNegatives:
    """The articles on sale in each week, from which negatives are sampled."""

    def __init__(self, files: Sequence[Path], count: int, device: str) -> None:
        self.count, self.device = count, device
        self.weeks = {int(file.stem): whole(read_table(file), "cpu") for file in files}

    def draw(self, week: int) -> Inputs:
        """Sample `count` articles with replacement, by torch's generator: their encoded columns, key and log draws."""
        articles = self.weeks[week]
        sampled = torch.multinomial(articles[SHARE], self.count, replacement=True)
        return {name: column[sampled].to(self.device) for name, column in articles.items() if name != SHARE}
