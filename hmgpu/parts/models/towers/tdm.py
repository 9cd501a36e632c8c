"""A tree-based deep model: how likely a customer buys something below each node of a tree of articles.

Zhu et al. 2018 ("Learning tree-based deep models for recommender systems"): the node attends to what the customer
bought, layers turn that into its score, on every level some other nodes are negatives, and between passes the tree is
built again by the vectors that were learned. Articles are found from the root down, by `tree_search.py`.
"""

import polars as pl
import torch
from torch.nn import functional

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.encode.columns import PADDING, RARE, RECENT
from hmgpu.parts.models.space.clusters import by_buyers
from hmgpu.parts.models.towers.encoded_network import EncodedNetwork, Side, of_customers
from hmgpu.parts.models.towers.settings import TDMSettings
from hmgpu.parts.models.towers.tree import homes
from hmgpu.parts.models.towers.tree_search import TreeLayers
from hmgpu.parts.models.towers.youtube_dnn import LatestArticles
from hmgpu.parts.models.training.batches import WEIGHT, Inputs, padded
from hmgpu.parts.models.training.week_files import PurchaseFiles
from hmgpu.parts.models.training.weights import weight_table
from hmgpu.parts.part import FittedEncoders

from merlin.schema import Schema  # isort: skip  (Merlin comes after its patches)

LISTED = f"{RECENT}article"


class TDM(EncodedNetwork):
    """The network for customers, the layers that score nodes, and the tree."""

    own_weights = True
    home: torch.Tensor
    """(codes,) int64: the node of the last level that each article hangs from, by its code."""

    def __init__(self, customer: Schema, article: Schema, branches: int, settings: TDMSettings) -> None:
        super().__init__({"customer": customer, "article": article}, settings.dimensions)
        self.settings, self.branches = settings, branches
        self.customers = LatestArticles(customer, settings.width, settings.hidden, settings.dimensions)
        codes = int(article["article"].int_domain.max) + 1
        self.tree = TreeLayers(codes, branches, settings)
        # What nothing is known of hangs from a node by its number, so that no node has all of these.
        self.register_buffer("home", torch.arange(codes) % branches**settings.levels)
        self.seed, self.engine = 0, Engine("cpu", "until it is prepared")

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        if side == "article":
            return functional.normalize(self.tree.leaves(inputs["article"].flatten()), dim=1)
        vectors: torch.Tensor = self.customers(self.own(inputs, side))
        return vectors

    def prepare(self, past: History, encoders: FittedEncoders, files: PurchaseFiles, seed: int) -> None:
        """Build the first tree, by who bought an article in the training weeks."""
        self.seed, self.engine = seed, encoders.engine
        vectors = by_buyers(past, DAYS * self.settings.weeks, self.dimensions, seed, encoders.engine)
        known = encoders.articles(past).filter(pl.col("article") > RARE)
        codes = known.select(pl.col("key").alias("article"), pl.col("article").alias("code"))
        self._build(vectors.join(codes, on="article").drop("article").rename({"code": "article"}))

    def between_passes(self) -> None:
        """Build the tree again, by the articles' vectors, and let each node begin from the mean of its articles."""
        if not self.settings.rebuild:
            return
        codes = torch.arange(RARE + 1, len(self.home))
        leaves = self.tree.leaves.weight.detach().cpu()[codes]
        self._build(quantised(codes, functional.normalize(leaves, dim=1), "article"))
        for level, nodes in enumerate(self.tree.inner):
            assert isinstance(nodes.weight, torch.Tensor)
            above = self._above(codes, level).cpu()
            sums = torch.zeros(nodes.weight.shape).index_add_(0, above, leaves)
            count = above.bincount(minlength=len(sums))[:, None]
            with torch.no_grad():
                nodes.weight.copy_(torch.where(count > 0, sums / count.clamp(min=1), nodes.weight.cpu()))

    def _build(self, vectors: pl.DataFrame) -> None:
        """Build the tree from `vectors` (article: a code, `v…`)."""
        found = homes(vectors, self.branches, self.settings.levels, self.seed, self.engine)
        self.home[found["article"].to_torch().long()] = found["home"].to_torch().long().to(self.home.device)

    def _above(self, codes: torch.Tensor, level: int) -> torch.Tensor:
        """Return the node of a level (from 0 on) that is above each article."""
        below: int = self.branches ** (self.settings.levels - 1 - level)
        return self.home[codes.to(self.home.device)] // below

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the mean cross-entropy of the nodes above what was bought, and of others, older weeks counting less.

        A negative that is by chance the node itself doesn't count.
        """
        inputs, count = batch[0], self.settings.negatives
        bought = inputs["article"].flatten().long()
        history = padded(inputs, LISTED, self.settings.recent).long()
        customers = self.encode(inputs, "customer")
        total = torch.zeros(len(bought), device=bought.device)
        for level in range(self.settings.levels + 1):
            others = torch.randint(RARE + 1, len(self.home), (len(bought), count), device=bought.device)
            asked = torch.cat([bought[:, None], others], dim=1)
            if level < self.settings.levels:  # a node is drawn as often as it has articles, so that none is empty
                asked = self._above(asked, level)
            logits = self.tree(self.tree.nodes(asked, level), history, customers)
            wanted = torch.zeros_like(logits)
            wanted[:, 0] = 1
            each = functional.binary_cross_entropy_with_logits(logits.float(), wanted.float(), reduction="none")
            counts = asked != asked[:, :1]
            counts[:, 0] = True
            total = total + (each * counts).sum(1) / (1 + count)
        return (total * inputs[WEIGHT].flatten()).mean() / (self.settings.levels + 1), len(bought)

    def article_tables(self, rows: pl.DataFrame, engine: Engine) -> dict[str, pl.DataFrame]:
        """Return `articles` (article, code int32, home int32) and the `weights` by which they are scored."""
        known = rows.filter(pl.col("article") > RARE).sort("key")
        home = self.home.cpu()[known["article"].to_torch().long()].int().numpy()
        articles = known.select(article="key", code="article").with_columns(pl.Series("home", home))
        weights = weight_table(self.tree)
        return {"articles": articles, "weights": weights if known.height else weights.clear()}

    def customer_tables(self, rows: pl.DataFrame, engine: Engine) -> dict[str, pl.DataFrame]:
        """Return `customers` (customer, `v…` int16, `r…` int32: the codes of their latest articles, 0 for none)."""
        recent = {
            f"r{place:03}": pl.col(LISTED).list.get(place, null_on_oob=True).fill_null(PADDING)
            for place in range(self.settings.recent)
        }
        lists = rows.select(pl.col("key").alias("customer"), **recent)
        return {"customers": self.vectors(rows, "customer", engine).join(lists, on="customer", maintain_order="left")}


def tdm(settings: TDMSettings, encoders: FittedEncoders) -> TDM:
    """Build the network with random weights from torch's generator."""
    article = Schema([encoders.schema("article")["article"]])
    known = int(article["article"].int_domain.max) - RARE
    branches = settings.branches or max(2, round(known ** (1 / (settings.levels + 1))))
    return TDM(of_customers(encoders), article, branches, settings).initialize()
