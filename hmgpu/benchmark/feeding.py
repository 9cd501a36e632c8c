"""Check that all loaders feed the towers alike: the same batches, and so the same losses and weights."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from hmgpu.benchmark.agreement import DisagreementError, same_tensors
from hmgpu.benchmark.rivals.plain_batches import PlainBatches
from hmgpu.benchmark.rivals.plain_loop import plain_pass
from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.parts.models.training.loop import fit
from hmgpu.parts.models.training.settings import Training

ROW = "row"  # numbers the rows of all files, in copies that are only compared, never timed
STEPS = 20  # batches that training is compared on; rounding differs, and grows with every step that Adam takes
WITHIN, WITHIN_ON_GPU = 1e-4, 2e-2  # between losses and between weights; a GPU trains in bfloat16


def numbered(files: Sequence[Path], folder: Path) -> list[Path]:
    """Copy `files` into `folder` with a column that numbers the rows through all files; return the copies."""
    folder.mkdir(parents=True)
    before, copies = 0, []
    for file in files:
        rows = read_table(file)
        path = folder / file.name
        rows.with_columns(pl.int_range(before, before + rows.height, dtype=pl.Int32).alias(ROW)).write_parquet(path)
        copies.append(path)
        before += rows.height
    return copies


def check_batches(name: str, loader: Iterable[Any], plain: PlainBatches) -> tuple[list[Any], list[torch.Tensor]]:
    """Return the first batches of one pass of `loader` over numbered files, and their rows.

    Raises DisagreementError unless every batch equals the plain loader's values of its rows, and the pass gives each
    row once.
    """
    first, order = list[Any](), list[torch.Tensor]()
    for batch in loader:
        rows = batch[0][ROW].flatten().long()
        same_tensors({column: values.flatten() for column, values in batch[0].items()}, plain.gather(rows))
        first += [batch] if len(first) < STEPS else []
        order.append(rows)
    given = torch.cat(order).sort().values
    if not torch.equal(given, torch.arange(len(plain), device=given.device)):
        raise DisagreementError(f"{name} doesn't give every row once a pass.")
    return first, order[:STEPS]


def check_training(
    model: torch.nn.Module,
    batches: Sequence[Any],
    same: Sequence[Any],
    settings: Training,
    engine: Engine,
    seed: int,
    work: Path,
) -> str:
    """Return how far apart losses and weights are after training on `batches` and on the `same` ones, as a sentence.

    The plain loop trains on both and, on the CPU, hmgpu's own training on `batches`. On a GPU weights aren't compared:
    where a gradient is almost 0, rounding decides its sign, and Adam takes a whole step. Raises DisagreementError.
    """
    models = [copy.deepcopy(model).to(engine.device) for _ in range(3)]
    losses = []
    for trained, fed in zip(models, (batches, same), strict=False):
        torch.manual_seed(seed)
        losses.append({"loss": torch.tensor(plain_pass(trained, fed, settings, engine))})
    apart = same_tensors(losses[0], losses[1], WITHIN_ON_GPU if engine.name == "gpu" else WITHIN)
    if engine.name == "gpu":
        return f"gpu: batches equal; losses within {WITHIN_ON_GPU} (at most {apart:.1e} apart)"
    fit(models[2], lambda rank, processes: batches, indifferent, settings, engine, seed, work)
    for other in models[1:]:
        apart = max(apart, same_tensors(models[0].state_dict(), other.state_dict(), WITHIN))
    return f"cpu: batches equal; losses and weights within {WITHIN} (at most {apart:.1e} apart)"


def check(
    model: torch.nn.Module,
    loaders: Mapping[str, Iterable[Any]],
    plain: PlainBatches,
    settings: Training,
    engine: Engine,
    seed: int,
    work: Path,
) -> str:
    """Check the batches of all `loaders` over numbered files, then training; return the sentence for the result.

    Training is compared on the batches of the last loader. Raises DisagreementError.
    """
    np.random.seed(seed)
    for name, loader in {"the plain loader": plain, **loaders}.items():
        first, order = check_batches(name, loader, plain)
    same = [(plain.gather(rows), None) for rows in order]
    return check_training(model, first, same, settings, engine, seed, work)


def indifferent(model: torch.nn.Module) -> float:
    """Return 0 for `fit`'s score, so that no time is spent on how good a model is."""
    return 0.0
