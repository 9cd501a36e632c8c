"""Causal self-attention over a customer's purchases: vectors of what they will buy next, and of articles.

SASRec (Kang & McAuley 2018, "Self-attentive sequential recommendation") with what later work found to matter: the
blocks of `attention`, and a softmax corrected for how negatives were sampled (Petrov & Macdonald 2023, "gSASRec").
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.sequences.attention import Block, turning
from hmgpu.parts.models.sequences.sequences import BAND, BANDS, PLACES, QUESTION, SEQUENCE_DAYS, SINCE, width_of
from hmgpu.parts.models.sequences.settings import SASRecSettings
from hmgpu.parts.models.sequences.supply import EDGES
from hmgpu.parts.models.sequences.supply import WEEKS as SALES_WEEKS
from hmgpu.parts.models.training.batches import OFFSETS, Inputs, padded
from hmgpu.parts.models.training.loss import sampled_softmax

SMALL = 0.1  # standard deviation of embeddings at the start
GAPS = (0, *(2**power for power in range(11)))  # days since the entry before at which another embedding begins


class SelfAttention(nn.Module):
    """The network. An article is the sum of the embeddings of its codes, as it goes in and as it comes out.

    As it comes out, how well it sold lately counts too: without that, a week's best sellers find more than the network.
    """

    codes: torch.Tensor
    supply: torch.Tensor
    bands: torch.Tensor
    cutoff: int

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
        # What sells more is not better until that has been learned: so from 0.
        self.sales = nn.Parameter(torch.zeros(len(SALES_WEEKS), len(EDGES) + 1, settings.dimensions))
        shape = (settings.dimensions, settings.heads, settings.dropout)
        self.blocks = nn.ModuleList(Block(*shape) for _ in range(settings.blocks))
        self.dropout, self.norm = nn.Dropout(settings.dropout), nn.LayerNorm(settings.dimensions)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=SMALL)

    def learn_from(self, codes: torch.Tensor, supply: pl.DataFrame, bands: npt.NDArray[np.uint8], cutoff: int) -> None:
        """Take what training needs: the articles' codes, and when and how often they sold; none of it is saved.

        Args:
            codes: (articles, kinds).
            supply: of the same articles; see `supply.supply`.
            bands: of the same articles, of as many weeks as are trained on; see `supply.sales_bands`.
            cutoff: the day after the last that is trained on.
        """
        bought = supply["bought"].to_torch().double()
        wanted = torch.where(bought > 0, bought**self.settings.extra_power, 0)
        facts = [bought / bought.sum(), wanted / wanted.sum(), supply["first"].to_torch(), supply["last"].to_torch()]
        self.cutoff = cutoff
        self.register_buffer("codes", codes, persistent=False)
        self.register_buffer("bands", torch.from_numpy(bands), persistent=False)
        self.register_buffer("supply", torch.stack([fact.float() for fact in facts]), persistent=False)

    def articles(self, codes: torch.Tensor, bands: torch.Tensor) -> torch.Tensor:
        """Return the vectors (articles, dimensions) of articles with these codes and sales.

        Args:
            codes: (articles, kinds).
            bands: (articles, windows) of their sales before the moment that is asked for.
        """
        sales = torch.stack([table[bands[..., window].long()] for window, table in enumerate(self.sales)]).sum(0)
        # What is added to a logit is not divided by the temperature, so that it can grow as easily as another weight.
        return self._own(codes) + self.settings.temperature * sales

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
        turn = turning(days - days[:, :1], self.settings.dimensions // self.settings.heads)
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
            self._own(self.codes[keys]),
            bought,
            keys,
            expected.log(),
            settings.temperature,
            0.5 ** (age / settings.half_life),
            possible,
            self._for_sales(answers[row, question], keys, (self.cutoff - 1 - day) // DAYS + 1),
        )
        return value, len(bought)

    def _for_sales(self, answers: torch.Tensor, keys: torch.Tensor, ago: torch.Tensor) -> torch.Tensor:
        """Return what is added to the logits (rows, keys) for sales: those before the week of each row, `ago` ago."""
        with torch.autocast(answers.device.type, enabled=False):
            bands = self.bands[ago[:, None], keys].long()
            each = (answers.float() @ table.float().T for table in self.sales)
            return torch.stack([of.gather(1, bands[..., window]) for window, of in enumerate(each)]).sum(0)

    def _own(self, codes: torch.Tensor) -> torch.Tensor:
        """Return vectors of length 1 of what articles are, whatever they sell."""
        return functional.normalize(self._embedded(codes), dim=-1)

    def _embedded(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.stack([table(codes[..., kind]) for kind, table in enumerate(self.tables)]).sum(0)
