"""Bayesian personalised ranking in torch: one code for CPU and GPU.

Rendle et al. 2009 ("BPR: Bayesian Personalized Ranking from Implicit Feedback"): stochastic gradient descent on pairs
of an article that a customer bought and one that they did not. What is sampled, and how far a step goes, is as in the
library implicit (`by_implicit`), which takes one pair after the other; here a batch takes its steps together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from hmgpu.parts.models.factors.row_sums import add_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]
Pairs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
LARGEST = 8192  # pairs in a batch
PER_PAIR = 4  # articles for each pair in a batch: with fewer articles, steps that don't know of each other go too far


@dataclass(frozen=True)
class Ranking:
    """Settings of `hmgpu.parts.retrievers.bpr`."""

    factors: int
    learning_rate: float
    l2: float
    iterations: int
    seed: int


def ranked(bought: "csr_matrix", settings: Ranking, device: str) -> tuple[Floats, Floats]:
    """Return vectors of customers (customers, factors + 1) and articles (articles, factors + 1), both float32.

    The last column of the articles is how popular each is, that of the customers is 1.

    Args:
        bought: (customers, articles) with a number above 0 where the customer bought the article, columns sorted.
        settings: of the fit.
        device: as torch spells it; the same pairs are sampled on each.
    """
    draw = np.random.default_rng(settings.seed)
    customers, articles = (_start(draw, count, settings.factors).to(device) for count in bought.shape)
    customers[:, -1] = 1.0
    for pairs in _pairs(bought, settings.iterations, draw, device):
        _step(customers, articles, pairs, settings)
    return customers.cpu().numpy(), articles.cpu().numpy()


def _start(draw: np.random.Generator, rows: int, factors: int) -> torch.Tensor:
    return torch.from_numpy((draw.random((rows, factors + 1), dtype=np.float32) - np.float32(0.5)) / factors)


def _pairs(bought: "csr_matrix", passes: int, draw: np.random.Generator, device: str) -> Iterator[Pairs]:
    """Yield batches of (customer, article, other article): in each pass as many samples as there are purchases.

    Both articles are sampled as often as they were bought. A pair whose other article the customer bought too is left
    out.
    """
    count, (customers, articles) = bought.nnz, bought.shape
    buyer = torch.from_numpy(np.repeat(np.arange(customers), np.diff(bought.indptr))).to(device)
    taken = torch.from_numpy(bought.indices.astype(np.int64)).to(device)
    keys = buyer * articles + taken  # sorted, as the matrix is
    size = min(LARGEST, max(1, articles // PER_PAIR))
    for start in range(0, passes * count, size):
        sampled = draw.integers(count, size=(2, min(size, passes * count - start)))
        purchase, other = torch.from_numpy(sampled).to(device)
        customer, unwanted = buyer[purchase], taken[other]
        asked = customer * articles + unwanted
        free = keys[torch.searchsorted(keys, asked).clamp(max=count - 1)] != asked
        if free.any():
            yield customer[free], taken[purchase[free]], unwanted[free]


def _step(customers: torch.Tensor, articles: torch.Tensor, pairs: Pairs, settings: Ranking) -> None:
    """Take the steps of a batch, each from where all of them start."""
    customer, article, other = pairs
    own, liked, disliked = customers[customer], articles[article], articles[other]
    wrong = torch.sigmoid(-(own * (liked - disliked)).sum(1, keepdim=True))
    rate, l2 = settings.learning_rate, settings.l2
    away = rate * (wrong * (liked - disliked) - l2 * own)
    away[:, -1] = 0.0  # a customer's number for popularity stays 1
    add_rows(customers, customer, away)
    steps = torch.cat([rate * (wrong * own - l2 * liked), rate * (-wrong * own - l2 * disliked)])
    add_rows(articles, torch.cat([article, other]), steps)
