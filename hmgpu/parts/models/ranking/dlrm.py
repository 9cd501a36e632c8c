"""DLRM's network, built from Merlin's blocks."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from hmgpu.parts.examples import Examples
from hmgpu.parts.models.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.parts.models.ranking.network import Columns, Logits, RankingNetwork, Rows, code_columns, started
from hmgpu.parts.models.ranking.numbers import Numbers
from hmgpu.parts.models.ranking.queries import NUMBERS
from hmgpu.parts.models.ranking.settings import CodeSettings, DLRMSettings
from hmgpu.parts.models.training import load_lightning  # noqa: F401  (what Merlin would load is heavier)

import merlin.models.torch as mm  # isort: skip
from merlin.schema import ColumnSchema, Schema, Tags  # isort: skip


class _LazyLogits(nn.LazyLinear):
    cls_to_become = Logits


class Network(RankingNetwork):
    """Merlin's `DLRMModel` on numbers and codes."""

    def __init__(self, settings: DLRMSettings, columns: Columns, numbers: Numbers) -> None:
        super().__init__(settings, columns, numbers)
        dense = ColumnSchema(NUMBERS, tags=[Tags.CONTINUOUS], dtype="float32")
        self.model = mm.DLRMModel(
            Schema([dense, *(_categorical(name, top) for name, top in columns.codes.items())]),
            dim=settings.dimensions,
            bottom_block=mm.MLPBlock([*settings.bottom, settings.dimensions]),
            top_block=mm.MLPBlock([*settings.top], dropout=settings.dropout),
            output_block=mm.Block(_LazyLogits(1)),
        )
        with torch.no_grad():  # gives lazy layers their shapes
            self(Rows.blank(columns))

    @classmethod
    def reads(cls, settings: Any, examples: Examples) -> tuple[list[str], list[str]]:
        assert isinstance(settings, CodeSettings)
        return code_columns(settings, examples), []

    def start(self, seen: Mapping[str, Any]) -> "Network":
        blocks = [block for block in self.modules() if isinstance(block, mm.EmbeddingTable)]
        tables: dict[str, nn.Embedding] = {name: block.table for block in blocks for name in block.domains}  # type: ignore[has-type]
        for name, codes in seen.items():
            started(tables[name], codes)
        return self

    def forward(self, rows: Rows) -> torch.Tensor:
        inputs = dict(zip(self.columns.codes, self.known(rows.codes).unbind(1), strict=True))
        logits: torch.Tensor = self.model(inputs | {NUMBERS: self.numbers(rows.numbers)})
        return logits.squeeze(1)


def _categorical(name: str, top: int) -> ColumnSchema:
    # At least one value: Merlin treats a domain that ends at 0 as no domain.
    properties = {"domain": {"min": 0, "max": max(top, 1), "name": name}}
    return ColumnSchema(name, tags=[Tags.CATEGORICAL], properties=properties, dtype="int32")
