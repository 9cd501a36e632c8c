"""The two-tower model, built from Merlin's blocks: vectors of customers and articles, closer the likelier a purchase.

Yi et al. 2019 ("Sampling-bias-corrected neural modeling for large corpus item recommendations"), with the latest
articles of a customer pooled as in Covington et al. 2016 ("Deep neural networks for YouTube recommendations").
"""

from typing import Literal

import torch
from torch import nn

from hmgpu.parts.models.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.parts.models.neural.batches import LOG_DRAWS, OFFSETS, TARGET, VALUES, WEEK, WEIGHT, Inputs
from hmgpu.parts.models.neural.loss import sampled_softmax
from hmgpu.parts.models.neural.negatives import OnSaleNegatives

import merlin.models.torch as mm  # isort: skip
from merlin.schema import Schema, Tags  # isort: skip

Side = Literal["customer", "article"]
SMALL = 0.05  # standard deviation of embeddings at the start; with the default, 1, the loss hardly leaves ln(batch)


class Towers(nn.Module):
    """Both towers and the embedding tables that they share.

    A customer's latest articles are pooled from the same tables that describe the articles themselves.
    """

    def __init__(
        self,
        customer: Schema,
        article: Schema,
        width: int,
        hidden: tuple[int, ...],
        dimensions: int,
        temperature: float,
    ) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.columns: dict[Side, Schema] = {"customer": customer, "article": article}
        self.temperature = temperature
        self.negatives: OnSaleNegatives | None = None  # used only in training, so it is not saved
        everything = Schema([*customer, *article])
        # One table for each domain: thousands of ids get the full width, a handful of kinds only a few numbers.
        sizes = {
            column.name: _width(column.int_domain.max + 1, width)
            for column in everything.select_by_tag(Tags.CATEGORICAL)
        }
        tables = mm.EmbeddingTables(sizes, seq_combiner="mean")
        self.inputs = mm.TabularInputBlock(everything)
        self.inputs.add_route(Tags.CONTINUOUS, required=False)
        self.inputs.add_route(Tags.CATEGORICAL, tables)
        self.towers = nn.ModuleDict(
            {side: nn.Sequential(mm.MLPBlock([*hidden]), nn.LazyLinear(dimensions)) for side in self.columns}
        )

    def initialize(self, batch: Inputs) -> "Towers":
        """Infer the shapes of lazy layers from one batch, start embeddings from small numbers, and return itself."""
        with torch.no_grad():
            for side in self.columns:
                self.encode(batch, side)
            for module in self.modules():
                if isinstance(module, nn.Embedding):
                    nn.init.normal_(module.weight, std=SMALL)
        return self

    def encode(self, inputs: Inputs, side: Side) -> torch.Tensor:
        """Return the vectors of one side's encoded columns: (rows, dimensions), of length 1."""
        names = self.columns[side].column_names
        parts = ("", VALUES, OFFSETS)
        own = {name + part: inputs[name + part] for name in names for part in parts if name + part in inputs}
        return nn.functional.normalize(self.towers[side](self.inputs(own)), dim=1)

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the sampled softmax loss of a batch of purchases, and the batch's number of rows."""
        inputs = batch[0]
        bought = inputs[TARGET].flatten()
        articles = [{name: inputs[name] for name in (*self.columns["article"].column_names, TARGET, LOG_DRAWS)}]
        if self.negatives:
            articles.append(self.negatives.draw(int(inputs[WEEK].flatten()[0])))
        everything = {name: torch.cat([some[name].flatten() for some in articles]) for name in articles[0]}
        value = sampled_softmax(
            self.encode(inputs, "customer"),
            self.encode(everything, "article"),
            bought,
            everything[TARGET],
            everything[LOG_DRAWS],
            self.temperature,
            inputs[WEIGHT].flatten(),
        )
        return value, len(bought)


def _width(cardinality: int, widest: int) -> int:
    """Return an embedding's length: four times the fourth root of the number of values, in eights, up to `widest`."""
    eights = max(1, round(cardinality**0.25 / 2))
    return min(widest, 8 * int(eights))
