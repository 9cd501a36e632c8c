"""Scores of the nodes of a tree of articles for customers, and the best articles by a beam from the root down."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import polars as pl
import torch
from torch import nn

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.models.space.topk import UNIT, in_chunks, in_steps, places_of, scores_of, search, vectors_of
from hmgpu.parts.models.towers.settings import TDMSettings
from hmgpu.parts.models.training.weights import set_weights

CUSTOMERS, NODES = 64, 512  # customers and nodes of each whose scores are computed at once


class TreeLayers(nn.Module):
    """The embeddings of articles and of the nodes above them, and the layers that score both for a customer."""

    def __init__(self, codes: int, branches: int, settings: TDMSettings) -> None:
        super().__init__()
        size = settings.dimensions
        self.leaves = nn.Embedding(codes, size)
        self.inner = nn.ModuleList(nn.Embedding(branches ** (level + 1), size) for level in range(settings.levels))
        self.nothing = nn.Parameter(torch.zeros(size))
        widths = [5 * size, *settings.layers]
        hidden = [[nn.Linear(before, after), nn.PReLU()] for before, after in pairwise(widths)]
        self.layers = nn.Sequential(*(layer for pair in hidden for layer in pair), nn.Linear(widths[-1], 1))

    def nodes(self, numbers: torch.Tensor, level: int) -> torch.Tensor:
        """Return the vectors of nodes of a level, from 0 on, by their numbers; after the last come articles' codes."""
        table = self.inner[level] if level < len(self.inner) else self.leaves
        found: torch.Tensor = table(numbers)
        return found

    def forward(self, nodes: torch.Tensor, history: torch.Tensor, customers: torch.Tensor) -> torch.Tensor:
        """Return the logits (rows, nodes) of nodes for customers.

        Args:
            nodes: (rows, nodes, dimensions) their vectors.
            history: (rows, recent) codes of the customer's latest articles; those that are no article are not seen.
            customers: (rows, dimensions) vectors of customers.
        """
        # A node can attend to nothing, too: so there is always something to attend to.
        bought = torch.cat([self.nothing.expand(len(history), 1, -1), self.leaves(history)], dim=1)
        unseen = nn.functional.pad(history <= RARE, (1, 0), value=False)
        fit = (nodes @ bought.mT / math.sqrt(nodes.shape[-1])).masked_fill(unseen[:, None], -torch.inf)
        seen = fit.softmax(dim=-1) @ bought
        own = customers[:, None].expand_as(nodes)
        found: torch.Tensor = self.layers(torch.cat([nodes, seen, nodes * seen, own, nodes * own], dim=-1))
        return found[..., 0] + (nodes * (seen + own)).sum(-1)


@dataclass(frozen=True)
class TreeScores:
    """Articles are scored by the layers, and found by a beam from the root down; see `embedding.Scorer`.

    Besides `customers` (customer, `v…`, `r…`) and `articles` (article, code, home, on_sale), it needs the `weights` of
    the layers. Scores are computed in double precision and rounded to steps of 2^-16, so that they don't depend on what
    else is scored.
    """

    settings: TDMSettings

    def best(self, tables: Mapping[str, pl.DataFrame], n: int, engine: Engine) -> pl.DataFrame:
        selling = tables["articles"].filter(pl.col("on_sale") == 1).sort("article")
        known = _Known(tables, self.settings, engine)
        leaves = _Leaves(selling, known, engine)
        order = in_chunks(torch.arange(selling.height, device=engine.device))

        def scores(rows: pl.DataFrame) -> torch.Tensor:
            return leaves.found(*known.told(rows), self.settings.beam)[:, order]

        return search(tables["customers"], selling["article"], n, scores, UNIT, CUSTOMERS)

    def of(self, pairs: pl.DataFrame, tables: Mapping[str, pl.DataFrame], engine: Engine) -> pl.Series:
        customers, articles = tables["customers"].sort("customer"), tables["articles"].sort("article")
        known = _Known(tables, self.settings, engine)
        asked = pairs.select(
            customer=places_of(pairs["customer"], customers["customer"]),
            code=articles["code"].gather(places_of(pairs["article"], articles["article"])),
        )
        there = asked.drop_nulls().with_columns(place=pl.int_range(pl.len()).over("customer"))
        found = []
        for start in range(0, customers.height, CUSTOMERS):
            some = there.filter(pl.col("customer").is_between(start, start + CUSTOMERS - 1))
            if some.height:
                row, code, place = (
                    torch.from_numpy(some[name].to_numpy().astype("int64")).to(engine.device)
                    for name in ("customer", "code", "place")
                )
                codes = torch.full((CUSTOMERS, int(place.max()) + 1), -1, device=engine.device)
                codes[row - start, place] = code
                told = known.told(customers[start : start + CUSTOMERS])
                scores = known.scores(codes[: len(told[0])], self.settings.levels, *told)
                found.append(scores[row - start, place] / UNIT)
        return scores_of(asked, found)


class _Known:
    """The layers, in double precision, and what they are told of customers."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], settings: TDMSettings, engine: Engine) -> None:
        sizes = dict(tables["weights"].group_by("name").len().iter_rows())
        codes, self.branches = (
            sizes.get(name, 0) // settings.dimensions for name in ("leaves.weight", "inner.0.weight")
        )
        self.engine, self.levels = engine, settings.levels
        self.layers = TreeLayers(codes, self.branches, settings)
        if codes:
            set_weights(self.layers, tables["weights"])
        self.layers = self.layers.to(engine.device).double()

    def told(self, customers: pl.DataFrame) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors (rows, dimensions) and the latest articles (rows, recent) of `customers`."""
        recent = torch.from_numpy(customers.select("^r[0-9]+$").to_numpy(order="c").astype("int64"))
        return vectors_of(customers, self.engine).double() / STEPS, recent.to(self.engine.device)

    def scores(self, nodes: torch.Tensor, level: int, customers: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Return the scores (rows, nodes) of nodes of a level, in steps; minus infinity where a node is -1."""
        found = [nodes.new_empty(len(nodes), 0, dtype=torch.float32)]
        with torch.no_grad():
            for some in nodes.tensor_split(tuple(range(NODES, nodes.shape[1], NODES)), dim=1):
                logits = self.layers(self.layers.nodes(some.clamp(min=0), level), history, customers)
                found.append(in_steps(logits).masked_fill(some < 0, -torch.inf))
        return torch.cat(found, dim=1)


class _Leaves:
    """Articles on sale, and the nodes above them."""

    def __init__(self, selling: pl.DataFrame, known: _Known, engine: Engine) -> None:
        self.known = known
        self.codes, self.home = (selling[name].to_torch().long().to(engine.device) for name in ("code", "home"))
        self.there = []
        for level in range(known.levels):
            nodes = torch.zeros(known.branches ** (level + 1), dtype=torch.bool, device=engine.device)
            nodes[self.home // known.branches ** (known.levels - 1 - level)] = True
            self.there.append(nodes)

    def found(self, customers: torch.Tensor, history: torch.Tensor, beam: int) -> torch.Tensor:
        """Return the scores (rows, articles) of the articles that a beam comes to, minus infinity for all others."""
        rows, branches = len(customers), self.known.branches
        kept = torch.zeros(rows, 1, dtype=torch.long, device=customers.device)  # the root
        for level, there in enumerate(self.there):
            children = kept[:, :, None] * branches + torch.arange(branches, device=kept.device)
            nodes = torch.where((kept[:, :, None] >= 0) & there[children.clamp(min=0)], children, -1).flatten(1)
            scores = self.known.scores(nodes, level, customers, history)
            # Nodes stay in the order of their numbers, on which equal scores break.
            best = scores.sort(dim=1, descending=True, stable=True).indices[:, :beam].sort(dim=1).values
            kept = nodes.gather(1, best)
        beamed = torch.zeros(rows, len(self.there[-1]) + 1, dtype=torch.bool, device=kept.device)
        beamed[torch.arange(rows, device=kept.device)[:, None], kept] = True  # -1 marks the last, which is not a node
        leaves = beamed[:, self.home]
        row, leaf = leaves.nonzero(as_tuple=True)
        place = (leaves.cumsum(dim=1) - 1)[row, leaf]
        codes = torch.full((rows, int(leaves.sum(dim=1).max())), -1, device=kept.device)
        codes[row, place] = self.codes[leaf]
        found = torch.full(leaves.shape, -torch.inf, device=kept.device)
        found[row, leaf] = self.known.scores(codes, self.known.levels, customers, history)[row, place]
        return found
