"""What networks have in common that are trained on encoded purchases, and put customers and articles into one space."""

from collections.abc import Mapping
from typing import Literal, Self

import polars as pl
import torch
from torch import nn

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.parts.models.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.models.towers.settings import SampledSoftmaxSettings
from hmgpu.parts.models.training import load_lightning  # noqa: F401  (what Merlin would load is heavier)
from hmgpu.parts.models.training.batches import LOG_DRAWS, OFFSETS, TARGET, VALUES, WEEK, WEIGHT, Inputs, blank, tensors
from hmgpu.parts.models.training.loss import sampled_softmax
from hmgpu.parts.models.training.negatives import OnSaleNegatives
from hmgpu.parts.models.training.week_files import PurchaseFiles
from hmgpu.parts.part import FittedEncoders

import merlin.models.torch as mm  # isort: skip
from merlin.schema import Schema, Tags  # isort: skip


Side = Literal["customer", "article"]
SMALL = 0.05  # standard deviation of embeddings at the start; with the default, 1, the loss hardly leaves ln(batch)
ROWS = 65_536  # rows that are encoded at once


class EncodedNetwork(nn.Module):
    """A network with vectors of customers and articles, computed from their encoded columns."""

    own_weights = False
    """Whether articles are known by weights of their own alone, and those without any not at all."""

    def __init__(self, columns: Mapping[Side, Schema], dimensions: int) -> None:
        super().__init__()
        self.columns, self.dimensions = dict(columns), dimensions

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        """Return the vectors of one side's encoded columns: (rows, dimensions), of length 1."""
        raise NotImplementedError

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the loss of a batch of encoded purchases of one week, and the batch's number of rows."""
        raise NotImplementedError

    def prepare(self, past: History, encoders: FittedEncoders, files: PurchaseFiles, seed: int) -> None:
        """Take what training needs from the purchases before the held-out week, or from the `files` of them."""

    def initialize(self) -> Self:
        """Infer the shapes of lazy layers, start embeddings from small numbers, and return itself."""
        batch = blank([column for schema in self.columns.values() for column in schema])
        with torch.no_grad():
            for side in self.columns:
                self.encode(batch, side)
            for module in self.modules():
                if isinstance(module, nn.Embedding):
                    nn.init.normal_(module.weight, std=SMALL)
        return self

    def own(self, inputs: Inputs, side: Side) -> Inputs:
        """Return those of `inputs` that are columns of this side."""
        parts = ("", VALUES, OFFSETS)
        names = self.columns[side].column_names
        return {name + part: inputs[name + part] for name in names for part in parts if name + part in inputs}

    def article_tables(self, rows: pl.DataFrame, engine: Engine) -> dict[str, pl.DataFrame]:
        """Return what is learned of the articles of `rows` (key, encoded columns): `articles` (article, `v…` int16)."""
        known = rows.filter(pl.col("article") > RARE) if self.own_weights else rows
        return {"articles": self.vectors(known, "article", engine)}

    def customer_tables(self, rows: pl.DataFrame, engine: Engine) -> dict[str, pl.DataFrame]:
        """Return what is learned of the customers of `rows` (key, encoded columns): `customers` (customer, `v…`)."""
        return {"customers": self.vectors(rows, "customer", engine)}

    def vectors(self, rows: pl.DataFrame, side: Side, engine: Engine) -> pl.DataFrame:
        """Return the vectors of one side's encoded `rows`, as a table."""
        if self.training or next(self.parameters()).device.type != engine.device:  # looking at all layers takes 5 ms
            self.to(engine.device).eval()
        with torch.inference_mode():
            found = [self.encode(inputs, side).cpu() for inputs in tensors(rows.drop("key"), ROWS, engine.device)]
        vectors = torch.cat(found) if found else torch.empty(0, self.dimensions)
        return quantised(torch.from_numpy(rows["key"].to_numpy().copy()), vectors, side)


class SampledSoftmaxNetwork(EncodedNetwork):
    """A network that is trained to tell what each customer bought from what others bought, and from what was on sale.

    With the setting `extra` it needs `negatives`.
    """

    fades = True
    """Whether batches of older weeks count less; within a batch all weights are equal."""

    def __init__(self, columns: Mapping[Side, Schema], settings: SampledSoftmaxSettings) -> None:
        super().__init__(columns, settings.dimensions)
        self.temperature, self.extra = settings.temperature, settings.extra
        self.negatives: OnSaleNegatives | None = None  # used only in training, so it is not saved

    def prepare(self, past: History, encoders: FittedEncoders, files: PurchaseFiles, seed: int) -> None:
        if self.extra:
            self.negatives = OnSaleNegatives(files.on_sale, self.extra, encoders.engine.device)

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        inputs = batch[0]
        bought = inputs[TARGET].flatten()
        articles = [{name: inputs[name] for name in (*self.columns["article"].column_names, TARGET, LOG_DRAWS)}]
        if self.negatives:
            articles.append(self.negatives.draw(int(inputs[WEEK].flatten()[0])))
        everything = {name: torch.cat([some[name].flatten() for some in articles]) for name in articles[0]}
        weights = inputs[WEIGHT].flatten()
        value = sampled_softmax(
            self.encode(inputs, "customer"),
            self.encode(everything, "article"),
            bought,
            everything[TARGET],
            everything[LOG_DRAWS],
            self.temperature,
            weights,
        )
        return value * weights.mean() if self.fades else value, len(bought)


def inputs_of(columns: Schema, width: int) -> nn.Module:
    """Return the block that looks up every column's embedding and concatenates these and the numbers."""
    # One table for each domain: thousands of ids get the full width, a handful of kinds only a few numbers.
    sizes = {
        column.name: _width(column.int_domain.max + 1, width) for column in columns.select_by_tag(Tags.CATEGORICAL)
    }
    tables = mm.EmbeddingTables(sizes, seq_combiner="mean")
    inputs = mm.TabularInputBlock(columns)
    inputs.add_route(Tags.CONTINUOUS, required=False)
    inputs.add_route(Tags.CATEGORICAL, tables)
    return inputs


def of_customers(encoders: FittedEncoders) -> Schema:
    """Return the encoded columns of customers and the moment, without the customer's own id."""
    return Schema([column for column in encoders.schema("customer", "context") if column.name != "customer"])


def layers(hidden: tuple[int, ...], dimensions: int) -> nn.Module:
    """Return hidden layers and a last one without an activation."""
    return nn.Sequential(mm.MLPBlock([*hidden]), nn.LazyLinear(dimensions))


def _width(cardinality: int, widest: int) -> int:
    """Return an embedding's length: four times the fourth root of the number of values, in eights, up to `widest`."""
    eights = max(1, round(cardinality**0.25 / 2))
    return min(widest, 8 * int(eights))
