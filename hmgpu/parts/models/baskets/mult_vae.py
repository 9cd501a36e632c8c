"""Mult-VAE: a variational autoencoder of what customers bought, with a multinomial likelihood.

Liang, Krishnan, Hoffman & Jebara 2018 ("Variational autoencoders for collaborative filtering"). The decoder is one
layer, as in RecVAE (Shenbin et al. 2020): so an article's score is a dot product of two vectors and a constant.
"""

from pathlib import Path

import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.core.vectors import shortened
from hmgpu.data.store import History
from hmgpu.parts.models.baskets.basket_vectors import BasketNetwork
from hmgpu.parts.models.baskets.baskets import BASKET, write_baskets
from hmgpu.parts.models.baskets.settings import MultVAESettings
from hmgpu.parts.models.training.batches import OFFSETS, VALUES, Inputs
from hmgpu.parts.part import PartContext

SMALL = 0.1  # standard deviation of embeddings at the start


class MultVAE(BasketNetwork):
    """The network. What a customer bought becomes a normal distribution of vectors; each article has a vector too."""

    settings: MultVAESettings
    steps: torch.Tensor

    def __init__(self, articles: int, settings: MultVAESettings) -> None:
        super().__init__(articles, settings)
        self.constant = nn.Parameter(torch.zeros(settings.width))
        self.ends = nn.Linear(settings.width, 2 * settings.dimensions)
        self.articles = nn.Linear(settings.dimensions, articles)
        nn.init.normal_(self.bought.weight, std=SMALL)
        nn.init.normal_(self.articles.weight, std=SMALL)
        self.register_buffer("steps", torch.zeros(()))  # so that a resumed training anneals as an uninterrupted one

    @staticmethod
    def width(settings: MultVAESettings) -> int:
        return settings.width

    def encode(self, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and logarithm of the variance of each customer's distribution: (rows, dimensions) each."""
        hidden = torch.tanh(self.basket(inputs, self.settings.dropout) + self.constant)
        mean, log_variance = self.ends(hidden).chunk(2, dim=1)
        return mean, log_variance

    def losses(
        self, inputs: Inputs, mean: torch.Tensor, log_variance: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what each customer's purchases and their distribution cost, in nats: (rows,) each.

        The first is minus the log-likelihood of their purchases in a multinomial distribution over all articles, the
        second the Kullback-Leibler divergence of their distribution from the standard normal one.
        """
        values, offsets = inputs[BASKET + VALUES].long(), inputs[BASKET + OFFSETS]
        sizes, vectors = offsets.diff(), (mean + noise * (log_variance / 2).exp()).float()
        with torch.autocast(vectors.device.type, enabled=False):  # in bfloat16 many articles would have one logit
            logits = self.articles(vectors)
        row = torch.repeat_interleave(torch.arange(len(sizes), device=values.device), sizes)
        own = torch.zeros(len(sizes), device=values.device).index_add(0, row, logits[row, values])
        unlikely = sizes * logits.logsumexp(1) - own
        return unlikely, (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).float() / 2

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the mean loss of a batch of customers, with the divergence's weight at this step, and their number."""
        mean, log_variance = self.encode(batch[0])
        unlikely, divergence = self.losses(batch[0], mean, log_variance, torch.randn_like(mean))
        self.steps += 1
        weight = self.settings.beta * (self.steps / self.settings.anneal).clamp(max=1)
        return (unlikely + weight * divergence).mean(), len(mean)

    def write(self, past: History, articles: pl.DataFrame, context: PartContext, folder: Path) -> list[Path]:
        return write_baskets(past, articles, self.settings.days, context.engine, folder)

    def customers(self, inputs: Inputs) -> torch.Tensor:
        """Return the means of customers' distributions, and a one next to them: of length 1."""
        mean, _ = self.encode(inputs)
        return functional.normalize(torch.cat([mean, torch.ones_like(mean[:, :1])], dim=1), dim=1)

    def items(self) -> torch.Tensor:
        """Return articles' vectors, their constants in the last place; the longest has length 1."""
        vectors = torch.cat([self.articles.weight, self.articles.bias[:, None]], dim=1)
        # What all articles have in common orders nothing, and would make the vectors longer.
        return shortened(vectors - vectors.mean(0)) if len(vectors) else vectors
