"""The hierarchical softmax: how likely a class of articles is, times how likely an article is within its class.

Goodman 2001 ("Classes for fast maximum entropy training"), with a customer in place of the words before: with about as
many classes as articles in each, the likelihood of a purchase costs two short sums in place of one over all articles,
so that it needs no samples.
"""

import math
from itertools import accumulate

import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.models.space.clusters import by_buyers, clusters
from hmgpu.parts.models.towers.encoded_network import EncodedNetwork, Side, of_customers
from hmgpu.parts.models.towers.settings import HierarchicalSoftmaxSettings
from hmgpu.parts.models.towers.youtube_dnn import LatestArticles
from hmgpu.parts.models.training.batches import WEIGHT, Inputs
from hmgpu.parts.models.training.week_files import PurchaseFiles
from hmgpu.parts.part import FittedEncoders

from merlin.schema import Schema  # isort: skip  (Merlin comes after its patches)


class HierarchicalSoftmax(EncodedNetwork):
    """A network for customers, a vector for each class, and one for each article within its class."""

    own_weights = True
    class_of: torch.Tensor
    """(codes,) int64: the class of each article by its code."""
    members: torch.Tensor
    """(articles,) int64: the codes in the order of their classes."""
    place: torch.Tensor
    """(codes,) int64: the place of each article in its class."""

    def __init__(self, customer: Schema, article: Schema, count: int, settings: HierarchicalSoftmaxSettings) -> None:
        super().__init__({"customer": customer, "article": article}, settings.dimensions)
        self.settings = settings
        self.customers = LatestArticles(customer, settings.width, settings.hidden, settings.dimensions)
        codes = int(article["article"].int_domain.max) + 1
        self.classes, self.articles = (nn.Embedding(size, settings.dimensions) for size in (count, codes))
        # What nothing is known of is in a class by its number, so that no class has all of these.
        self.register_buffer("class_of", torch.arange(codes) % count)

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        if side == "article":
            return functional.normalize(self.articles(inputs["article"].flatten()), dim=1)
        vectors: torch.Tensor = self.customers(self.own(inputs, side))
        return vectors

    def prepare(self, past: History, encoders: FittedEncoders, files: PurchaseFiles, seed: int) -> None:
        """Put each article into its class: by who bought it in the training weeks, or by its category."""
        engine, settings = encoders.engine, self.settings
        known = encoders.articles(past).filter(pl.col("article") > RARE)
        if settings.by:
            classes = known.select("key", pl.col(settings.by).alias("class"))
        else:
            vectors = by_buyers(past, DAYS * settings.weeks, settings.dimensions, seed, engine)
            classes = clusters(vectors, self.classes.num_embeddings, seed, engine).rename({"article": "key"})
        placed = known.select("key", "article").join(classes, on="key")
        self.class_of[placed["article"].to_torch().long()] = placed["class"].to_torch().long()
        self.arrange()

    def arrange(self) -> None:
        """Put the articles in the order of their classes; what follows from `class_of` is not saved."""
        codes = torch.arange(RARE + 1, len(self.class_of))
        members = codes[self.class_of[codes].argsort(stable=True)]
        self.sizes = self.class_of[members].bincount(minlength=self.classes.num_embeddings).tolist()
        starts = torch.tensor([0, *accumulate(self.sizes)])
        place = torch.zeros_like(self.class_of)
        place[members] = torch.arange(len(members)) - starts[self.class_of[members]]
        for name, value in {"members": members, "place": place}.items():
            self.register_buffer(name, value, persistent=False)

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return minus the mean logarithm of the likelihood of what was bought, older weeks counting less."""
        inputs = batch[0]
        bought = inputs["article"].flatten().long()
        losses = self.minus_log(self.encode(inputs, "customer"), bought)
        return (losses * inputs[WEIGHT].flatten()).mean(), len(bought)

    def minus_log(self, customers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return minus the logarithm (rows,) of the likelihood that each of `customers` buys the article of each code.

        Over all codes of articles the likelihoods add up to 1.
        """
        with torch.autocast(customers.device.type, enabled=False):
            customers = customers.float() / self.settings.temperature
            asked = self.class_of[codes]
            empty = torch.tensor(self.sizes, device=asked.device) == 0
            of_classes = customers @ functional.normalize(self.classes.weight, dim=1).T
            classes = functional.cross_entropy(of_classes.masked_fill(empty, -torch.inf), asked, reduction="none")
            # Class by class, so that the vectors of a class are read once and no row is padded.
            order = asked.argsort(stable=True)
            rows = order.split_with_sizes(asked.bincount(minlength=len(self.sizes)).tolist())
            vectors = functional.normalize(self.articles.weight[self.members], dim=1).split_with_sizes(self.sizes)
            within = [
                functional.cross_entropy(customers[some] @ own.T, self.place[codes[some]], reduction="none")
                for some, own in zip(rows, vectors, strict=True)
                if len(some)
            ]
            return classes + torch.cat(within)[order.argsort()]

    def article_tables(self, rows: pl.DataFrame, engine: Engine) -> dict[str, pl.DataFrame]:
        """Return `articles` (article, class int32, `v…` int16) and their `classes` (class int32, `v…` int16)."""
        found = super().article_tables(rows, engine)["articles"]
        codes = rows.select(pl.col("key").alias("article"), pl.col("article").alias("code"))
        code = found.join(codes, on="article", maintain_order="left")["code"].to_torch().long()
        own = pl.Series("class", self.class_of.cpu()[code].int().numpy(), pl.Int32)
        vectors = functional.normalize(self.classes.weight.detach(), dim=1)
        classes = quantised(torch.arange(len(vectors)), vectors, "class")
        return {
            "articles": found.insert_column(1, own),
            "classes": classes.filter(pl.col("class").is_in(own.unique().implode())),
        }


def hierarchical_softmax(settings: HierarchicalSoftmaxSettings, encoders: FittedEncoders) -> HierarchicalSoftmax:
    """Build the network with random weights from torch's generator."""
    article = Schema([encoders.schema("article")["article"]])
    known = int(article["article"].int_domain.max) - RARE
    count = settings.classes or max(1, round(math.sqrt(known)))
    if settings.by:
        count = int(encoders.schema("article")[settings.by].int_domain.max) + 1
    return HierarchicalSoftmax(of_customers(encoders), article, count, settings).initialize()
