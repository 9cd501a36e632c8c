"""The deep interest network: what a candidate takes from the customer's past articles, by how they compare."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples, code_of
from hmgpu.parts.models.encode.columns import PADDING
from hmgpu.parts.models.ranking.network import SMALL, Columns, Logits, RankingNetwork, Rows, code_columns, started
from hmgpu.parts.models.ranking.numbers import Numbers
from hmgpu.parts.models.ranking.settings import CodeSettings, DINSettings

DAYS = "days"
SPANS = (1, *(2**power for power in range(1, 11)))  # days since the purchase at which another embedding begins


class Network(RankingNetwork):
    """An article is the sum of the embeddings of its attributes, as a candidate and as one bought before.

    How much of a past article is taken is a number from both and their product, and not a share: a customer who bought
    three like the candidate tells more than one who bought one (Zhou et al. 2018).
    """

    def __init__(self, settings: DINSettings, columns: Columns, numbers: Numbers) -> None:
        super().__init__(settings, columns, numbers)
        size, names = settings.dimensions, list(columns.codes)
        self.tables = nn.ModuleList(nn.Embedding(top + 1, size) for top in columns.codes.values())
        attributes = dict.fromkeys(name.rsplit("_", 2)[0] for name in columns.past)  # in the order of the columns
        self.attributes = list(attributes)
        # The place among the codes of each attribute that past articles share with candidates.
        places = {name: code_of(f"{name}_1_past") for name in self.attributes}
        self.shared = {name: names.index(code) for name, code in places.items() if code in names}
        self.since = nn.Embedding(len(SPANS) + 1, size)
        nn.init.normal_(self.since.weight, std=SMALL)
        self.of_past, self.of_both = (nn.Linear(size, settings.attention, bias=False) for _ in range(2))
        self.of_candidate, self.weight = nn.Linear(size, settings.attention), nn.Linear(settings.attention, 1)
        widths = (numbers.width + len(numbers.gaps) + size * (len(names) + 3), *settings.top)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.dropout, self.out = nn.Dropout(settings.dropout), Logits(widths[-1], 1)

    @classmethod
    def reads(cls, settings: Any, examples: Examples) -> tuple[list[str], list[str]]:
        assert isinstance(settings, CodeSettings)
        past = examples.past()
        if not past:
            raise ConfigError(
                "ranker: din attends to past articles, and there are none; add `past_articles: {}` under features."
            )
        return code_columns(settings, examples), past

    def start(self, seen: Mapping[str, Any]) -> "Network":
        for table, codes in zip(self.tables, seen.values(), strict=True):
            assert isinstance(table, nn.Embedding)
            started(table, codes)
        return self

    def forward(self, rows: Rows) -> torch.Tensor:
        codes = self.known(rows.codes)
        embedded = [table(codes[:, place]) for place, table in enumerate(self.tables)]
        candidate = sum((embedded[place] for place in self.shared.values()), torch.zeros_like(embedded[0]))
        past, there = self._past(rows.past)
        taken = self._attended(candidate, past[rows.query], there[rows.query])
        x = torch.cat([self.numbers(rows.numbers), *embedded, candidate, taken, candidate * taken], dim=1)
        for layer in self.layers:
            x = self.dropout(functional.silu(layer(x)))
        logits: torch.Tensor = self.out(x)
        return logits.squeeze(1)

    def _past(self, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors of past articles (queries, places, dimensions), and which of them there are."""
        of = dict(zip(self.attributes, past.view(len(past), len(self.attributes), -1).unbind(1), strict=True))
        spans = torch.bucketize(of[DAYS].contiguous(), torch.tensor(SPANS, device=past.device), right=True)
        vectors = self.since(spans)
        for name, place in self.shared.items():
            vectors = vectors + self.tables[place](torch.where(of[name] <= self.tops[place], of[name], PADDING))
        return vectors, of[DAYS] > 0

    def _attended(self, candidate: torch.Tensor, past: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Return what each candidate takes from its customer's past articles: (candidates, dimensions)."""
        compared = self.of_past(past) + self.of_both(past * candidate[:, None]) + self.of_candidate(candidate)[:, None]
        weights = torch.where(there, self.weight(functional.silu(compared)).squeeze(2), 0.0)
        return torch.einsum("cp,cpd->cd", weights, past)
