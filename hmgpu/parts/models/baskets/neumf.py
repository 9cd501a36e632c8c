"""NeuMF: matrix factorisation by a product of vectors and by layers above them, both at once.

He, Liao, Zhang, Nie, Hu & Chua 2017 ("Neural collaborative filtering"). A customer is not known by an embedding of
their own, as there, but by those of the articles that they bought: so one who is new has a vector as well, and what
they bought last week counts. The network is trained on weeks, each of which a customer enters with what they had bought
before it.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.data.store import History
from hmgpu.parts.models.baskets.basket_vectors import BasketNetwork
from hmgpu.parts.models.baskets.settings import NeuMFSettings
from hmgpu.parts.models.baskets.targets import write_targets
from hmgpu.parts.models.space.topk import (
    UNIT,
    block_of,
    in_chunks,
    in_steps,
    places_of,
    scores_of,
    search,
    vectors_of,
)
from hmgpu.parts.models.training.batches import TARGET, WEEK, Inputs
from hmgpu.parts.models.training.negatives import OnSaleNegatives
from hmgpu.parts.models.training.weights import set_weights, weight_table
from hmgpu.parts.part import PartContext

SMALL = 0.1  # standard deviation of embeddings at the start
FAR = 15.0  # the largest number of a vector, so that it fits into 16 bits
PAIRS = 65_536  # pairs that are scored at once


class Layers(nn.Module):
    """What scores a customer's vector and an article's: a product of one part, and layers above the other."""

    def __init__(self, settings: NeuMFSettings) -> None:
        super().__init__()
        self.size = settings.dimensions
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(settings.layers))
        self.out = nn.Linear(self.size + settings.layers[-1], 1)

    def forward(self, customers: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """Return the logits of customers with articles: vectors whose other dimensions fit each other (…, length)."""
        inner = functional.relu(customers[..., self.size :] + items[..., self.size :])
        for layer in self.layers:
            inner = functional.relu(layer(inner))
        weight = self.out.weight[0]
        products = (customers[..., : self.size] * weight[: self.size] * items[..., : self.size]).sum(-1)
        found: torch.Tensor = products + inner @ weight[self.size :] + self.out.bias
        return found


class NeuMF(BasketNetwork):
    """The network. Vectors of customers and articles have a part that is multiplied, and one for the layers."""

    settings: NeuMFSettings
    negatives: OnSaleNegatives

    def __init__(self, articles: int, settings: NeuMFSettings) -> None:
        super().__init__(articles, settings)
        size, first = settings.dimensions, settings.layers[0]
        self.constant = nn.Parameter(torch.zeros(2 * size))
        self.articles = nn.Embedding(articles, 2 * size)
        self.of_customer, self.of_article = nn.Linear(size, first), nn.Linear(size, first, bias=False)
        self.layers = Layers(settings)
        for table in (self.bought, self.articles):
            nn.init.normal_(table.weight, std=SMALL)

    @staticmethod
    def width(settings: NeuMFSettings) -> int:
        return 2 * settings.dimensions

    def customers(self, inputs: Inputs) -> torch.Tensor:
        factors, inner = (self.basket(inputs) + self.constant).chunk(2, dim=1)
        return torch.cat([factors, self.of_customer(inner)], dim=1).clamp(-FAR, FAR)

    def items(self) -> torch.Tensor:
        return self._items(self.articles.weight)

    def _items(self, embedded: torch.Tensor) -> torch.Tensor:
        factors, inner = embedded.chunk(2, dim=-1)
        return torch.cat([factors, self.of_article(inner)], dim=-1).clamp(-FAR, FAR)

    def weights(self) -> dict[str, pl.DataFrame]:
        """Return `weights` (place int32, weight float32): those of the layers."""
        return {"weights": weight_table(self.layers)}

    def write(self, past: History, articles: pl.DataFrame, context: PartContext, folder: Path) -> list[Path]:
        files = write_targets(past, articles, self.settings, context.engine, folder)
        count = self.settings.negatives * self.settings.batch
        self.negatives = OnSaleNegatives(files.on_sale, count, context.engine.device)
        return files.bought

    def losses(self, inputs: Inputs, others: torch.Tensor) -> torch.Tensor:
        """Return the sum of the cross-entropies of each purchase and of the articles `others` (rows, negatives).

        An article that is by chance the one that was bought doesn't count as a negative.
        """
        customers, target = self.customers(inputs), inputs[TARGET]
        items = self._items(self.articles(torch.cat([target[:, None], others], dim=1).long()))
        with torch.autocast(customers.device.type, enabled=False):  # in bfloat16 many articles would have one logit
            logits = self.layers(customers.float()[:, None], items.float())
        bought = torch.zeros_like(logits)
        bought[:, 0] = 1
        each = functional.binary_cross_entropy_with_logits(logits, bought, reduction="none")
        counts = torch.cat([torch.ones_like(target[:, None], dtype=torch.bool), others != target[:, None]], dim=1)
        return (each * counts).sum(1)

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the mean loss of a batch of purchases of one week, and their number."""
        inputs, each = batch[0], self.settings.negatives
        rows = len(inputs[TARGET])
        drawn = self.negatives.draw(int(inputs[WEEK][0]))[TARGET]
        return self.losses(inputs, drawn[: rows * each].view(rows, each)).mean() / (1 + each), rows


class NeuMFScores:
    """Articles are scored by the layers, from their vectors and the customer's; see `embedding.Scorer`.

    They are computed in double precision and rounded to steps of 2^-16: so a score doesn't depend on what else is
    scored with it.
    """

    def __init__(self, settings: NeuMFSettings) -> None:
        self.settings = settings

    def best(self, tables: Mapping[str, pl.DataFrame], n: int, engine: Engine) -> pl.DataFrame:
        articles = tables["articles"].filter(pl.col("on_sale") == 1).sort("article")
        layers, items = self._layers(tables, engine), in_chunks(vectors_of(articles, engine))

        def scores(rows: pl.DataFrame) -> torch.Tensor:
            return _whole(layers, vectors_of(rows, engine)[:, None], items)

        # Each customer with each article takes a few rows of vectors, in double precision.
        block = block_of(len(items), 8 * 4 * items.shape[1])
        return search(tables["customers"], articles["article"], n, scores, UNIT, block)

    def of(self, pairs: pl.DataFrame, tables: Mapping[str, pl.DataFrame], engine: Engine) -> pl.Series:
        sides = {"customer": tables["customers"], "article": tables["articles"]}
        places = pairs.select(places_of(pairs[key], table[key]).alias(key) for key, table in sides.items())
        layers = self._layers(tables, engine)
        found = []
        for some in places.drop_nulls().iter_slices(PAIRS):
            vectors = (vectors_of(table[some[key].cast(pl.Int64)], engine) for key, table in sides.items())
            found.append(_whole(layers, *vectors) / UNIT)
        return scores_of(places, found)

    def _layers(self, tables: Mapping[str, pl.DataFrame], engine: Engine) -> Layers:
        layers = Layers(self.settings)
        set_weights(layers, tables["weights"])
        return layers.to(engine.device).double()


def _whole(layers: Layers, customers: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """Return the logits of quantised vectors in steps."""
    with torch.no_grad():
        return in_steps(layers(customers.double() / STEPS, items.double() / STEPS))
