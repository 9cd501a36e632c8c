"""Causal self-attention over a customer's purchases: vectors of what they will buy next, and of articles.

SASRec (Kang & McAuley 2018, "Self-attentive sequential recommendation") with what later work found to matter: a sampled
softmax corrected for how its negatives were sampled (Petrov & Macdonald 2023, "gSASRec"), and pre-norm blocks whose
outputs are gated (LiGR: Borisyuk et al. 2025, "From features to transformers"; in SASRec: Tikhonovich et al. 2025,
"eSASRec"). Queries and keys are turned by their days (Su et al. 2021, "RoFormer"), so that attention sees real gaps.
"""

import math
from collections.abc import Sequence

import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.parts.models.neural.batches import OFFSETS, Inputs, padded
from hmgpu.parts.models.neural.loss import sampled_softmax
from hmgpu.parts.models.neural.sequences import BAND, BANDS, PLACES, QUESTION, SEQUENCE_DAYS, SINCE, width_of
from hmgpu.parts.models.neural.settings import SASRecSettings

SMALL = 0.1  # standard deviation of embeddings at the start
GAPS = (0, *(2**power for power in range(11)))  # days since the entry before at which another embedding begins
PERIODS = (4.0, 1500.0)  # days in which the fastest and the slowest pair of numbers turn once
WIDER = 2  # how much wider a block's hidden layer is than its input


class Block(nn.Module):
    """Attention and a SwiGLU layer, each normalised before and gated after."""

    def __init__(self, dimensions: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(dimensions) for _ in range(2))
        self.gates = nn.ModuleList(nn.Linear(dimensions, dimensions) for _ in range(2))
        self.into, self.out = nn.Linear(dimensions, 3 * dimensions), nn.Linear(dimensions, dimensions)
        self.wide = nn.Linear(dimensions, 2 * WIDER * dimensions)
        self.narrow = nn.Linear(WIDER * dimensions, dimensions)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        for step, norm, gate in zip((self._attend, self._think), self.norms, self.gates, strict=True):
            x = x + self.dropout(step(norm(x), turn)) * torch.sigmoid(gate(x))
        return x

    def _attend(self, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        rows, width, dimensions = x.shape
        query, key, value = self.into(x).view(rows, width, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key = (_turned(each, turn).to(value.dtype) for each in (query, key))
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        found: torch.Tensor = self.out(seen.transpose(1, 2).reshape(rows, width, dimensions))
        return found

    def _think(self, x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        gate, value = self.wide(x).chunk(2, dim=-1)
        found: torch.Tensor = self.narrow(functional.silu(gate) * value)
        return found


class SelfAttention(nn.Module):
    """The network. An article is the sum of the embeddings of its codes, as it goes in and as it comes out."""

    codes: torch.Tensor
    supply: torch.Tensor

    def __init__(self, sizes: Sequence[int], settings: SASRecSettings) -> None:
        """Take random weights from torch's generator.

        Args:
            sizes: how many values each code of an article has.
            settings: of the layers and the loss.
        """
        super().__init__()
        self.settings = settings
        self.tables = nn.ModuleList(nn.Embedding(size, settings.dimensions) for size in sizes)
        self.questions, self.gaps = (nn.Embedding(size, settings.dimensions) for size in (BANDS, len(GAPS) + 1))
        shape = (settings.dimensions, settings.heads, settings.dropout)
        self.blocks = nn.ModuleList(Block(*shape) for _ in range(settings.blocks))
        self.dropout, self.norm = nn.Dropout(settings.dropout), nn.LayerNorm(settings.dimensions)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=SMALL)

    def learn_from(self, codes: torch.Tensor, supply: pl.DataFrame) -> None:
        """Take what training needs: the articles' codes, and when and how often they sold; none of it is saved."""
        bought = supply["bought"].to_torch().double()
        wanted = torch.where(bought > 0, bought**self.settings.extra_power, 0)
        facts = [bought / bought.sum(), wanted / wanted.sum(), supply["first"].to_torch(), supply["last"].to_torch()]
        self.register_buffer("codes", codes, persistent=False)
        self.register_buffer("supply", torch.stack([fact.float() for fact in facts]), persistent=False)

    def articles(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the vectors (articles, dimensions), of length 1, of articles with these `codes` (articles, kinds)."""
        return functional.normalize(self._embedded(codes), dim=-1)

    def answers(
        self, codes: torch.Tensor, places: torch.Tensor, days: torch.Tensor, band: torch.Tensor
    ) -> torch.Tensor:
        """Return what stands at each entry of the sequences: (rows, width, dimensions), of length 1.

        Only answers to questions are trained. No answer depends on a later entry.

        Args:
            codes: (articles, kinds) of all articles, in the order of their places from 1.
            places: (rows, width), 0 for questions and padding.
            days: (rows, width) in days since 1970-01-01.
            band: (rows,) of the customers' ages.
        """
        since = functional.pad(days.diff(dim=1), (1, 0), value=-1)
        gap = torch.bucketize(since, torch.tensor(GAPS, device=days.device), right=True)
        bought = self._embedded(codes[(places - 1).clamp(min=0).long()]) if len(codes) else 0.0
        asked = self.questions(band.long())[:, None]
        x = self.dropout(torch.where(places[..., None] == QUESTION, asked, bought) + self.gaps(gap))
        turn = _turn(days - days[:, :1], self.settings.dimensions // self.settings.heads)
        for block in self.blocks:
            x = block(x, turn)
        return functional.normalize(self.norm(x), dim=-1)

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the sampled softmax loss of all purchases to predict in a batch of sequences, and their number.

        An article is a negative of a purchase where it was on sale on the day, unless the same customer bought it too.
        """
        inputs, settings = batch[0], self.settings
        width = width_of(int(inputs[PLACES + OFFSETS].diff().max()))
        places, days = (padded(inputs, name, width).long() for name in (PLACES, SEQUENCE_DAYS))
        answers = self.answers(self.codes, places, days, inputs[BAND])
        row, entry = torch.nonzero((places != QUESTION) & (days >= inputs[SINCE][:, None]), as_tuple=True)
        numbers = torch.arange(width, device=places.device).expand_as(places)
        question = torch.where(places == QUESTION, numbers, 0).cummax(dim=1).values[row, entry]
        bought, day = places[row, entry] - 1, days[row, entry]
        shares, wanted, first, last = self.supply
        extra = torch.multinomial(wanted, settings.extra, replacement=True) if settings.extra else bought[:0]
        keys, buyer = torch.cat([bought, extra]), torch.cat([row, torch.full_like(extra, -1)])
        expected = len(bought) * shares[keys] + settings.extra * wanted[keys]
        possible = (first[keys] <= day[:, None]) & (day[:, None] <= last[keys]) & (row[:, None] != buyer)
        age = (day.max() - day) / 7
        value = sampled_softmax(
            answers[row, question],
            self.articles(self.codes[keys]),
            bought,
            keys,
            expected.log(),
            settings.temperature,
            0.5 ** (age / settings.half_life),
            possible,
        )
        return value, len(bought)

    def _embedded(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.stack([table(codes[..., kind]) for kind, table in enumerate(self.tables)]).sum(0)


def _turn(days: torch.Tensor, dimensions: int) -> torch.Tensor:
    """Return cosine and sine of the angles by which each pair of numbers turns: (2, rows, 1, width, pairs)."""
    fastest, slowest = PERIODS
    step = torch.arange(dimensions // 2, device=days.device) / max(1, dimensions // 2 - 1)
    angles = days[:, None, :, None] * (2 * math.pi / (fastest * (slowest / fastest) ** step))
    return torch.stack([angles.cos(), angles.sin()])


def _turned(x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Turn each pair of numbers of `x` (rows, heads, width, dimensions)."""
    (cosine, sine), (first, second) = turn, x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
