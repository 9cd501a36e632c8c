"""Networks as rankers: how they are trained on examples, how they score, and what is on disk."""

import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import map_at
from hmgpu.core.plans import ranked
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples, code_of, numbers_of
from hmgpu.parts.models.encode.columns import PADDING
from hmgpu.parts.models.ranking.network import Columns, RankingNetwork, Rows
from hmgpu.parts.models.ranking.numbers import Numbers, measured
from hmgpu.parts.models.ranking.queries import codes_of, write_queries
from hmgpu.parts.models.ranking.settings import RankerTraining
from hmgpu.parts.models.training.batches import FileBatches
from hmgpu.parts.models.training.loop import CURVE, Score, fit
from hmgpu.parts.models.training.weights import load_weights, save_weights
from hmgpu.parts.ranker import Model

log = logging.getLogger(__name__)

WEIGHTS, FACTS = "network.npz", "network.json"
ROWS = 4096  # always scored at once: a row's score must not depend on how many other rows are scored with it


@dataclass(frozen=True)
class FittedNetwork(Model):
    """A trained network."""

    network: RankingNetwork
    passes: int
    """Passes over the examples after which its weights were kept."""
    curve: Sequence[tuple[float, float | None]] = ()
    """The mean loss and the score after each pass."""

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
        facts = {**asdict(self.network.columns), "passes": self.passes, CURVE: list(self.curve)}
        (folder / FACTS).write_text(json.dumps(facts, indent=1))


def load(network: type[RankingNetwork], settings: RankerTraining, folder: Path, engine: Engine) -> FittedNetwork:
    """Load the network that `FittedNetwork.save` wrote into `folder`."""
    facts = json.loads((folder / FACTS).read_text())
    names = {name: tuple(facts[name]) for name in ("numbers", "gaps", "past")}
    columns = Columns(codes=facts["codes"], **names)
    built = network(settings, columns, Numbers(len(columns.numbers), columns.gaps))
    load_weights(built, folder / WEIGHTS)
    return FittedNetwork(built.to(engine.device), facts["passes"], facts[CURVE])


def train(
    network: type[RankingNetwork],
    settings: RankerTraining,
    training: Examples,
    validation: Examples | None,
    engine: Engine,
    seed: int,
) -> FittedNetwork:
    """Fit a network on `training`; MAP@12 of validation customers who bought a candidate decides when to stop.

    Without `validation` all epochs are trained.

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
    score: Score | None = None
    if validation is not None and next(validation.with_purchases(), None) is not None:
        score = partial(_map, validation=validation, engine=engine)
    elif validation is not None:
        log.warning("no candidate was bought in the validation week: all %d epochs are trained", settings.epochs)
    with tempfile.TemporaryDirectory(prefix="hmgpu-network-") as work:
        files = write_queries(training, columns.numbers, codes, past, Path(work) / "queries")
        batches = partial(FileBatches, files, settings.batch, engine)
        fitted = fit(model, batches, score, settings, engine, seed, Path(work))
    return FittedNetwork(model.to(engine.device), fitted.passes, fitted.curve)


def _map(module: nn.Module, validation: Examples, engine: Engine) -> float:
    """Return MAP@12 of the customers who bought a candidate."""
    assert isinstance(module, RankingNetwork)
    model = FittedNetwork(module, 0)
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
