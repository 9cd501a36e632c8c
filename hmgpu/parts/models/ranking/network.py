"""A network that ranks: what it reads of a candidate, and its loss on a batch of customers' lists.

One is a `RankingNetwork` with its layers and its `forward`; all else is the same for all of them.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.models.encode.columns import PADDING
from hmgpu.parts.models.ranking.numbers import Numbers
from hmgpu.parts.models.ranking.queries import CODES, NUMBERS, PAST
from hmgpu.parts.models.ranking.settings import CodeSettings, RankerTraining
from hmgpu.parts.models.training.batches import OFFSETS, VALUES, Inputs

SMALL = 0.05  # standard deviation of embeddings at the start, as in the towers


@dataclass(frozen=True)
class Columns:
    """The columns of examples that a network reads, by name."""

    numbers: tuple[str, ...]
    gaps: tuple[int, ...]
    """Places of the numbers that are missing somewhere in training."""
    codes: Mapping[str, int]
    """The largest code that each column of codes has in training; a larger one says nothing."""
    past: tuple[str, ...]
    """The columns about the customer's past articles, the same for all candidates of a customer."""


class Rows(NamedTuple):
    """Candidates, as a network gets them."""

    numbers: torch.Tensor
    """(candidates, numbers) float32."""
    codes: torch.Tensor
    """(candidates, codes) int32."""
    past: torch.Tensor
    """(queries, past columns) int32, 0 where there is nothing."""
    query: torch.Tensor
    """(candidates,) the row of `past` that belongs to each candidate."""

    @classmethod
    def blank(cls, columns: Columns) -> "Rows":
        codes, past = (torch.zeros(1, len(names), dtype=torch.int32) for names in (columns.codes, columns.past))
        return cls(torch.zeros(1, len(columns.numbers)), codes, past, torch.zeros(1, dtype=torch.int64))


class Logits(nn.Linear):
    """A linear layer in float32, within autocast too: in bfloat16 many candidates of a list would have one score."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        with torch.autocast(inputs.device.type, enabled=False):
            return super().forward(inputs.float())


class RankingNetwork(nn.Module):
    """A network that scores candidates."""

    tops: torch.Tensor

    def __init__(self, settings: RankerTraining, columns: Columns, numbers: Numbers) -> None:
        super().__init__()
        self.columns, self.numbers, self.listwise = columns, numbers, settings.loss == "listwise"
        self.register_buffer("tops", torch.tensor(list(columns.codes.values()), dtype=torch.int32))

    @classmethod
    def reads(cls, settings: Any, examples: Examples) -> tuple[list[str], list[str]]:
        """Return the names of the code columns and of the past columns of `examples` that it reads besides numbers.

        Raises ConfigError where what it can't do without is missing.
        """
        return [], []

    def start(self, seen: Mapping[str, Any]) -> "RankingNetwork":
        """Start the embeddings of each column of codes from the codes that training has (sorted); return itself."""
        return self

    @abstractmethod
    def forward(self, rows: Rows) -> torch.Tensor:
        """Return one logit for each candidate."""

    def known(self, codes: torch.Tensor) -> torch.Tensor:
        """Return `codes` (candidates, columns) with padding for those that training doesn't reach."""
        return torch.where(codes <= self.tops, codes, PADDING)

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the loss of a batch of queries, and their number of candidates."""
        lists, columns = batch[0], self.columns
        bought, offsets = lists[LABEL + VALUES].flatten(), lists[LABEL + OFFSETS].flatten().long()
        sizes = offsets.diff()
        query = torch.repeat_interleave(torch.arange(len(sizes), device=bought.device), sizes)
        numbers = lists[NUMBERS + VALUES].view(len(bought), len(columns.numbers))
        codes = lists[CODES + VALUES].view(len(bought), len(columns.codes))
        past = lists[PAST + VALUES].view(len(sizes), len(columns.past))
        logits = self(Rows(numbers, codes, past, query))
        if not self.listwise:
            return nn.functional.binary_cross_entropy_with_logits(logits, bought), len(bought)
        return -(bought * log_softmax(logits, query, offsets)).sum() / bought.sum(), len(bought)


def code_columns(settings: CodeSettings, examples: Examples) -> list[str]:
    """Return the code columns of `examples` that are used. Raises ConfigError where there are none."""
    found = [name for name in examples.codes() if name not in settings.without]
    if not found:
        raise ConfigError(
            f"ranker: {settings.kind} looks up category codes, and there are none; add `encoded: {{}}` under features."
        )
    return found


def started(table: nn.Embedding, codes: Any) -> None:
    """Start the embeddings of `codes` from small random numbers, all others from 0: training doesn't have them."""
    start = torch.zeros_like(table.weight)
    start[torch.from_numpy(codes)] = SMALL * torch.randn(len(codes), start.shape[1])
    with torch.no_grad():
        table.weight.copy_(start)


def log_softmax(logits: torch.Tensor, query: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Return the log-softmax of each candidate within its query; query i has the rows from offset i up to i + 1."""
    sizes = offsets.diff()
    place = torch.arange(len(logits), device=logits.device) - offsets[query]
    square = logits.new_full((len(sizes), int(sizes.max())), -torch.inf)
    square[query, place] = logits
    return square.log_softmax(1)[query, place]
