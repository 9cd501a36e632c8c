"""An encoder over all articles: batch by batch in the order of their ids; a kill loses no finished part."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.files import UNFINISHED, digest_of, needing_room
from hmgpu.core.lock import held
from hmgpu.data.choices import VectorsOf
from hmgpu.data.ingest.parquetrows import DAMAGE
from hmgpu.data.ingest.staging import VECTORS
from hmgpu.data.vectors.encoder import Encoder
from hmgpu.data.vectors.inputs import ArticleInputs

log = logging.getLogger(__name__)

LOCK = ".lock"
PART = 1024
"""Articles of a part, which is written when it is done: on a CPU a minute of work or two."""


def encode(
    inputs: ArticleInputs, encoder: Encoder, batch: int, work: Path, progress: Callable[[int, int], None]
) -> "tuple[pl.Series, np.ndarray[Any, Any]]":
    """Ids (String, sorted) and vectors (ids, dimensions) float32 of all inputs that could be read.

    Which articles are in one batch depends on their ids alone, so that going on after a kill gives the same vectors.

    Args:
        batch: inputs encoded at once.
        work: folder for finished parts; it outlives a kill. Whoever has kept the vectors removes it.

    Raises DataError where no input can be read.
    """
    parts = []
    with needing_room(work):
        for start in range(0, len(inputs.ids), PART):
            ids = inputs.ids[start : start + PART]
            file = work / f"{start:09}.parquet"
            part = _finished(file)
            if part is None:
                part = _encoded(ids, inputs, encoder, batch)
                draft = file.with_name(f"{UNFINISHED}{file.name}")
                part.write_parquet(draft)
                os.replace(draft, file)
            parts.append(part)
            progress(start + len(ids), len(inputs.ids))
    found = pl.concat([part for part in parts if part.height] or parts[:1])
    if unread := len(inputs.ids) - found.height:
        log.warning("%d of %d can't be read: those articles have no vector", unread, len(inputs.ids))
    if found.is_empty():
        raise DataError(f"None of {len(inputs.ids):,} files can be read as a picture: get them anew.")
    return found["article_id"], found["vector"].to_numpy()


@contextmanager
def working_in(root: Path, of: VectorsOf, inputs: ArticleInputs, encoder: Encoder, batch: int) -> Iterator[Path]:
    """The folder for the parts of this work, named by all that decides what they are, while no one else has it.

    Raises BusyError where another process is at the same work. After the block, parts of this and of older work are
    gone; what it raises leaves them.
    """
    decides = digest_of([inputs.ids, inputs.digest, encoder.digest, batch, PART])
    work = root / VECTORS / f"{UNFINISHED}{of}-{decides[:16]}"
    work.mkdir(parents=True, exist_ok=True)
    try:
        busy = f"Another process computes the same vectors in {root}: wait until it has ended."
        with held(work / LOCK, lambda: busy):
            yield work
            for folder in work.parent.glob(f"{UNFINISHED}{of}-*"):
                if folder != work:
                    shutil.rmtree(folder, ignore_errors=True)
            for part in work.iterdir():
                part.unlink()
    finally:
        with suppress(OSError):  # of what failed before its first part, nothing stays
            work.rmdir()
        with suppress(OSError):
            work.parent.rmdir()


def _encoded(ids: list[str], inputs: ArticleInputs, encoder: Encoder, batch: int) -> pl.DataFrame:
    """(article_id, vector) of those of `ids` that can be read."""
    kept, made = list[str](), list[Any]()
    for start in range(0, len(ids), batch):
        some = ids[start : start + batch]
        there = [(each, what) for each, what in zip(some, inputs.read(some), strict=True) if what is not None]
        if there:
            kept += [each for each, _ in there]
            made.append(encoder([what for _, what in there]))
    vectors = np.concatenate(made) if made else np.empty((0, 1), np.float32)
    rows = pl.Series("vector", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))
    return pl.DataFrame({"article_id": pl.Series(kept, dtype=pl.String), "vector": rows})


def _finished(file: Path) -> pl.DataFrame | None:
    """A part of an earlier attempt; None where there is none, or a power cut left it damaged."""
    try:
        return pl.read_parquet(file)
    except DAMAGE:
        return None
