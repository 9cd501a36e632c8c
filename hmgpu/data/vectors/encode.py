"""Encode all articles batch by batch, in the order of their ids; a kill loses no finished part."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.files import UNFINISHED, digest_of, needing_room
from hmgpu.core.lock import held
from hmgpu.core.parquet import read_table
from hmgpu.data.choices import VectorsOf
from hmgpu.data.ingest.parquetrows import DAMAGE
from hmgpu.data.ingest.staging import VECTORS
from hmgpu.data.manifest import Vectors
from hmgpu.data.store import Store
from hmgpu.data.vectors.encoder import Encoder
from hmgpu.data.vectors.inputs import ArticleInputs, inputs_of
from hmgpu.data.vectors.keep import keep

log = logging.getLogger(__name__)

LOCK = ".lock"
PART = 1024
"""Articles in a part, which is written when it is finished: a minute or two of work on a CPU."""


def compute_vectors(
    store: Store, of: VectorsOf, model: str, engine: Engine, batch: int, progress: Callable[[int, int], None]
) -> Vectors:
    """Encode the pictures or texts of all articles of `store` with `model` (see `Encoder`), and store the vectors.

    `progress` is called with (articles done, articles in all). A kill leaves the data set unchanged, and the same
    command continues after the last finished part. Raises DataError where there is nothing to encode.
    """
    inputs = inputs_of(store, of)
    encoder = Encoder(model, of, engine)
    with working_in(store.root, of, inputs, encoder, batch) as work:
        ids, vectors = encode(inputs, encoder, batch, work, progress)
        return keep(store.root, of, ids, vectors, f"model {encoder.label}")


def encode(
    inputs: ArticleInputs, encoder: Encoder, batch: int, work: Path, progress: Callable[[int, int], None]
) -> "tuple[pl.Series, np.ndarray[Any, Any]]":
    """Encode all readable inputs; returns their ids (String, sorted) and vectors (ids, dimensions) float32.

    Batches depend only on the articles' ids, so continuing after a kill gives the same vectors.

    Args:
        batch: inputs encoded at once.
        work: folder for finished parts, which outlives a kill; the caller removes it once the vectors are stored.

    Raises DataError where no input can be read.
    """
    parts = []
    with needing_room(work):
        for start in range(0, len(inputs.ids), PART):
            ids = inputs.ids[start : start + PART]
            file = work / f"{start:09}.parquet"
            part = _finished(file)
            if part is None:
                part = _encode_part(ids, inputs, encoder, batch)
                draft = file.with_name(f"{UNFINISHED}{file.name}")
                part.write_parquet(draft)
                os.replace(draft, file)
            parts.append(part)
            progress(start + len(ids), len(inputs.ids))
    found = pl.concat([part for part in parts if part.height] or parts[:1])
    if unread := len(inputs.ids) - found.height:
        log.warning("%d of %d can't be read: those articles have no vector", unread, len(inputs.ids))
    if found.is_empty():
        raise DataError(f"None of {len(inputs.ids):,} files can be read as a picture: get them again.")
    return found["article_id"], found["vector"].to_numpy()


@contextmanager
def working_in(root: Path, of: VectorsOf, inputs: ArticleInputs, encoder: Encoder, batch: int) -> Iterator[Path]:
    """Yield the folder for finished parts, named by a hash of all that determines them, and lock it.

    Raises BusyError where another process computes the same vectors. After the block, these and older parts are
    removed; if the block raises, they stay.
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
        with suppress(OSError):  # empty if it failed before the first part was finished
            work.rmdir()
        with suppress(OSError):
            work.parent.rmdir()


def _encode_part(ids: list[str], inputs: ArticleInputs, encoder: Encoder, batch: int) -> pl.DataFrame:
    """Encode the readable inputs of `ids` as a table (article_id, vector)."""
    kept, encoded = list[str](), list[Any]()
    for start in range(0, len(ids), batch):
        some = ids[start : start + batch]
        there = [(each, what) for each, what in zip(some, inputs.read(some), strict=True) if what is not None]
        if there:
            kept += [each for each, _ in there]
            encoded.append(encoder([what for _, what in there]))
    vectors = np.concatenate(encoded) if encoded else np.empty((0, 1), np.float32)
    rows = pl.Series("vector", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))
    return pl.DataFrame({"article_id": pl.Series(kept, dtype=pl.String), "vector": rows})


def _finished(file: Path) -> pl.DataFrame | None:
    """Read a part of an earlier attempt; None if there is none, or a power cut damaged it."""
    try:
        return read_table(file)
    except DAMAGE:
        return None
