"""DLRM's network, built from Merlin's blocks: its training on examples, and its scores of candidates."""

import itertools
import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.metrics import map_at
from hmgpu.core.plans import ranked
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples, numbers_of
from hmgpu.parts.models.encode import merlin  # noqa: F401  (patches Merlin before it is imported)
from hmgpu.parts.models.encode.columns import PADDING
from hmgpu.parts.models.neural.batches import OFFSETS, VALUES, FileBatches
from hmgpu.parts.models.neural.numbers import Numbers, measured
from hmgpu.parts.models.neural.queries import CODES, NUMBERS, codes_of, write_queries
from hmgpu.parts.models.neural.settings import DLRMSettings
from hmgpu.parts.models.neural.towers import SMALL
from hmgpu.parts.models.neural.training import fit
from hmgpu.parts.models.neural.weights import load_weights, save_weights
from hmgpu.parts.ranker import Model

import merlin.models.torch as mm  # isort: skip
from merlin.schema import ColumnSchema, Schema, Tags  # isort: skip

log = logging.getLogger(__name__)

WEIGHTS, FACTS = "dlrm.npz", "dlrm.json"
ROWS = 4096  # always scored at once: a row's score must not depend on how many other rows are scored with it


class _Logits(nn.Linear):
    """A linear layer in float32, within autocast too: in bfloat16 many candidates of a list would have one score."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        with torch.autocast(inputs.device.type, enabled=False):
            return super().forward(inputs.float())


class _LazyLogits(nn.LazyLinear):
    cls_to_become = _Logits


class Network(nn.Module):
    """Merlin's `DLRMModel` on a matrix of numbers and a matrix of codes; it returns one logit for each candidate."""

    tops: torch.Tensor

    def __init__(self, settings: DLRMSettings, numbers: Numbers, tops: Mapping[str, int]) -> None:
        super().__init__()
        self.codes, self.numbers, self.listwise = tuple(tops), numbers, settings.loss == "listwise"
        self.register_buffer("tops", torch.tensor(list(tops.values()), dtype=torch.int32))
        dense = ColumnSchema(NUMBERS, tags=[Tags.CONTINUOUS], dtype="float32")
        self.model = mm.DLRMModel(
            Schema([dense, *(_categorical(name, top) for name, top in tops.items())]),
            dim=settings.dimensions,
            bottom_block=mm.MLPBlock([*settings.bottom, settings.dimensions]),
            top_block=mm.MLPBlock([*settings.top], dropout=settings.dropout),
            output_block=mm.Block(_LazyLogits(1)),
        )
        with torch.no_grad():  # gives lazy layers their shapes
            self(torch.zeros(1, numbers.width), torch.zeros(1, len(tops), dtype=torch.int32))

    def start(self, seen: Mapping[str, Any]) -> "Network":
        """Start embeddings from small random numbers, or from 0 for codes that training doesn't have; return itself."""
        blocks = [block for block in self.modules() if isinstance(block, mm.EmbeddingTable)]
        tables: dict[str, nn.Embedding] = {name: block.table for block in blocks for name in block.domains}  # type: ignore[has-type]
        with torch.no_grad():
            for name, codes in seen.items():
                start = torch.zeros_like(tables[name].weight)
                start[torch.from_numpy(codes)] = SMALL * torch.randn(len(codes), start.shape[1])
                tables[name].weight.copy_(start)
        return self

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        known = torch.where(codes <= self.tops, codes, PADDING)
        inputs = dict(zip(self.codes, known.unbind(1), strict=True)) | {NUMBERS: self.numbers(numbers)}
        logits: torch.Tensor = self.model(inputs)
        return logits.squeeze(1)

    def loss(self, batch: tuple[Mapping[str, torch.Tensor], None]) -> tuple[torch.Tensor, int]:
        """Return the loss of a batch of queries, and their number of candidates."""
        lists = {name: batch[0][name + VALUES].flatten() for name in (NUMBERS, CODES, LABEL)}
        logits = self(lists[NUMBERS].view(-1, self.numbers.width), lists[CODES].view(-1, len(self.codes)))
        bought = lists[LABEL]
        if not self.listwise:
            return nn.functional.binary_cross_entropy_with_logits(logits, bought), len(bought)
        chances = _log_softmax(logits, batch[0][LABEL + OFFSETS])
        return -(bought * chances).sum() / bought.sum(), len(bought)


@dataclass(frozen=True)
class FittedDLRM(Model):
    """A trained network and the columns that it reads."""

    network: Network
    numbers: tuple[str, ...]

    def score(self, examples: pl.DataFrame) -> pl.Series:
        numbers, codes = numbers_of(examples, self.numbers), codes_of(examples, self.network.codes)
        device = self.network.tops.device
        scores = []
        self.network.eval()
        with torch.inference_mode():
            for first in range(0, examples.height, ROWS):
                parts = (torch.from_numpy(matrix[first : first + ROWS]) for matrix in (numbers, codes))
                full = (nn.functional.pad(part, (0, 0, 0, ROWS - len(part))).to(device) for part in parts)
                scores.append(self.network(*full).cpu().numpy())
        every = np.concatenate([np.empty(0, np.float32), *scores])[: examples.height]
        return pl.Series("score", every, dtype=pl.Float32)

    def save(self, folder: Path) -> None:
        save_weights(self.network, folder / WEIGHTS)
        tops = dict(zip(self.network.codes, self.network.tops.tolist(), strict=True))
        facts = {"numbers": self.numbers, "gaps": self.network.numbers.gaps, "codes": tops}
        (folder / FACTS).write_text(json.dumps(facts, indent=1))


def load(settings: DLRMSettings, folder: Path, engine: Engine) -> FittedDLRM:
    """Load the network that `FittedDLRM.save` wrote into `folder`."""
    facts = json.loads((folder / FACTS).read_text())
    network = Network(settings, Numbers(len(facts["numbers"]), facts["gaps"]), facts["codes"])
    load_weights(network, folder / WEIGHTS)
    return FittedDLRM(network.to(engine.device), tuple(facts["numbers"]))


def train(settings: DLRMSettings, training: Examples, validation: Examples, engine: Engine, seed: int) -> FittedDLRM:
    """Fit the network on `training`; MAP@12 of validation customers who bought a candidate decides when to stop.

    Raises ConfigError if the examples have no codes, or no purchases.
    """
    training.require_purchases()
    numbers, codes = training.features(), [name for name in training.codes() if name not in settings.without]
    if not codes:
        raise ConfigError("ranker: dlrm looks up category codes, and there are none; add `encoded: {}` under features.")
    seen = _seen(training, codes)
    torch.manual_seed(seed)
    tops = {name: int(found.max()) for name, found in seen.items()}
    network = Network(settings, measured(training, numbers), tops).start(seen)
    log.info(
        "fitting DLRM on %d numbers and %d code columns, which have %d values",
        len(numbers),
        len(codes),
        sum(map(len, seen.values())),
    )
    bought = any(True for _ in validation.with_purchases())
    # No local functions: with several devices these are sent to several processes.
    score: Callable[[nn.Module], float] = partial(_map, numbers=numbers, validation=validation, engine=engine)
    if not bought:
        log.warning("no candidate was bought in the validation week: all %d epochs are trained", settings.epochs)
        score = partial(_rising, itertools.count(1))
    with tempfile.TemporaryDirectory(prefix="hmgpu-dlrm-") as work:
        files = write_queries(training, numbers, codes, Path(work) / "queries")
        batches = partial(FileBatches, files, settings.batch, engine)
        fit(network, batches, score, settings, engine, seed, Path(work))
    return FittedDLRM(network.to(engine.device), tuple(numbers))


def _map(module: nn.Module, numbers: list[str], validation: Examples, engine: Engine) -> float:
    """Return MAP@12 of the customers who bought a candidate."""
    assert isinstance(module, Network)
    model = FittedDLRM(module, tuple(numbers))
    scored = [table.select(KEYS).with_columns(score=model.score(table)) for table in validation.with_purchases()]
    bought = [table.filter(pl.col(LABEL) == 1).select(KEYS) for table in validation.with_purchases()]
    return map_at(engine.collect(ranked(pl.concat(scored).lazy(), by="customer")), pl.concat(bought))


def _rising(passes: Iterator[int], module: nn.Module) -> float:
    """Count passes in place of a score, so that every pass counts as better than the one before."""
    return next(passes)


def _seen(examples: Examples, codes: Sequence[str]) -> dict[str, Any]:
    """Return the codes that occur in each column, sorted."""
    seen = {name: np.empty(0, np.int64) for name in codes}
    for table in examples.with_purchases():
        for name in codes:
            seen[name] = np.union1d(seen[name], table[name].fill_null(PADDING).unique().to_numpy())
    return seen


def _categorical(name: str, top: int) -> ColumnSchema:
    # At least one value: Merlin treats a domain that ends at 0 as no domain.
    properties = {"domain": {"min": 0, "max": max(top, 1), "name": name}}
    return ColumnSchema(name, tags=[Tags.CATEGORICAL], properties=properties, dtype="int32")


def _log_softmax(logits: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Return the log-softmax of each candidate within its query; query i has the rows from offset i up to i + 1."""
    offsets = offsets.flatten().long()
    sizes = offsets.diff()
    query = torch.repeat_interleave(torch.arange(len(sizes), device=logits.device), sizes)
    place = torch.arange(len(logits), device=logits.device) - offsets[query]
    square = logits.new_full((len(sizes), int(sizes.max())), -torch.inf)
    square[query, place] = logits
    return square.log_softmax(1)[query, place]
