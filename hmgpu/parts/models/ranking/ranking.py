"""Networks as rankers: what they read of a candidate, how they are trained on examples, and how they score.

A network is a `RankingNetwork` with its layers and its `forward`; all else is the same for all of them.
"""

import json
import logging
import tempfile
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from torch import nn

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.metrics import map_at
from hmgpu.core.plans import ranked
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples, code_of, numbers_of
from hmgpu.parts.models.encode.columns import PADDING
from hmgpu.parts.models.ranking.numbers import Numbers, measured
from hmgpu.parts.models.ranking.queries import CODES, NUMBERS, PAST, codes_of, write_queries
from hmgpu.parts.models.ranking.settings import CodeSettings, RankerTraining
from hmgpu.parts.models.training.batches import OFFSETS, VALUES, FileBatches, Inputs
from hmgpu.parts.models.training.loop import Score, fit
from hmgpu.parts.models.training.weights import load_weights, save_weights
from hmgpu.parts.ranker import Model

log = logging.getLogger(__name__)

WEIGHTS, FACTS = "network.npz", "network.json"
ROWS = 4096  # always scored at once: a row's score must not depend on how many other rows are scored with it
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


@dataclass(frozen=True)
class FittedNetwork(Model):
    """A trained network."""

    network: RankingNetwork

    def score(self, examples: pl.DataFrame) -> pl.Series:
        self.network.eval()
        with torch.inference_mode():
            scores = [self._scores(part) for part in examples.iter_slices(ROWS)]
        return pl.Series("score", np.concatenate([np.empty(0, np.float32), *scores]), dtype=pl.Float32)

    def _scores(self, part: pl.DataFrame) -> "np.ndarray[Any, np.dtype[np.float32]]":
        columns, device = self.network.columns, self.network.tops.device
        matrices = (
            numbers_of(part, columns.numbers),
            codes_of(part, list(columns.codes)),
            codes_of(part, columns.past),
        )
        full = [nn.functional.pad(torch.from_numpy(each), (0, 0, 0, ROWS - part.height)) for each in matrices]
        numbers, codes, past = (each.to(device) for each in full)
        logits = self.network(Rows(numbers, codes, past, torch.arange(ROWS, device=device)))
        found: np.ndarray[Any, np.dtype[np.float32]] = logits.cpu().numpy()[: part.height]
        return found

    def save(self, folder: Path) -> None:
        save_weights(self.network, folder / WEIGHTS)
        (folder / FACTS).write_text(json.dumps(asdict(self.network.columns), indent=1))


def load(network: type[RankingNetwork], settings: RankerTraining, folder: Path, engine: Engine) -> FittedNetwork:
    """Load the network that `FittedNetwork.save` wrote into `folder`."""
    facts = json.loads((folder / FACTS).read_text())
    names = {name: tuple(facts[name]) for name in ("numbers", "gaps", "past")}
    columns = Columns(codes=facts["codes"], **names)
    built = network(settings, columns, Numbers(len(columns.numbers), columns.gaps))
    load_weights(built, folder / WEIGHTS)
    return FittedNetwork(built.to(engine.device))


def train(
    network: type[RankingNetwork],
    settings: RankerTraining,
    training: Examples,
    validation: Examples,
    engine: Engine,
    seed: int,
) -> FittedNetwork:
    """Fit a network on `training`; MAP@12 of validation customers who bought a candidate decides when to stop.

    Raises ConfigError if the examples lack columns that it needs, or purchases.
    """
    training.require_purchases()
    codes, past = network.reads(settings, training)
    seen = _seen(training, codes, past)
    torch.manual_seed(seed)
    numbers = measured(training, training.features())
    tops = {name: int(found.max()) for name, found in seen.items()}
    columns = Columns(tuple(training.features()), tuple(numbers.gaps), tops, tuple(past))
    model = network(settings, columns, numbers).start(seen)
    values = sum(map(len, seen.values()))
    log.info("fitting a network on %d numbers and %d columns of %d codes", len(columns.numbers), len(codes), values)
    # No local functions: with several devices these are sent to several processes.
    score: Score | None = partial(_map, validation=validation, engine=engine)
    if not any(True for _ in validation.with_purchases()):
        log.warning("no candidate was bought in the validation week: all %d epochs are trained", settings.epochs)
        score = None
    with tempfile.TemporaryDirectory(prefix="hmgpu-network-") as work:
        files = write_queries(training, columns.numbers, codes, past, Path(work) / "queries")
        batches = partial(FileBatches, files, settings.batch, engine)
        fit(model, batches, score, settings, engine, seed, Path(work))
    return FittedNetwork(model.to(engine.device))


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


def _map(module: nn.Module, validation: Examples, engine: Engine) -> float:
    """Return MAP@12 of the customers who bought a candidate."""
    assert isinstance(module, RankingNetwork)
    model = FittedNetwork(module)
    scored = [table.select(KEYS).with_columns(score=model.score(table)) for table in validation.with_purchases()]
    bought = [table.filter(pl.col(LABEL) == 1).select(KEYS) for table in validation.with_purchases()]
    return map_at(engine.collect(ranked(pl.concat(scored).lazy(), by="customer")), pl.concat(bought))


def _seen(examples: Examples, codes: Sequence[str], past: Sequence[str]) -> dict[str, Any]:
    """Return the codes that occur in each column of `codes`, or of the past articles' same attribute, sorted."""
    seen = {name: np.empty(0, np.int64) for name in codes}
    columns = {name: name for name in codes} | {name: code_of(name) for name in past if code_of(name) in seen}
    for table in examples.with_purchases() if columns else ():
        for name, of in columns.items():
            seen[of] = np.union1d(seen[of], table[name].fill_null(PADDING).unique().to_numpy())
    return seen
