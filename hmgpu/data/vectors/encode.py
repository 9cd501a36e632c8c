"""Encode all articles batch by batch, in the order of their ids; a kill loses no finished part."""

import logging
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
from hmgpu.core.words import first_few
from hmgpu.data.choices import VectorsOf
from hmgpu.data.ingest.parquetrows import DAMAGE
from hmgpu.data.ingest.staging import VECTORS
from hmgpu.data.manifest import Vectors
from hmgpu.data.pictures import Unread
from hmgpu.data.store import Store
from hmgpu.data.vectors.encoder import Encoder
from hmgpu.data.vectors.inputs import ArticleInputs, Input, inputs_of
from hmgpu.data.vectors.keep import keep
from hmgpu.data.vectors.load_encoder import load_encoder

log = logging.getLogger(__name__)

LOCK = ".lock"
UNREAD = ("article_id", "unread")
PART = 1024
"""Articles in a part, which is written when it is finished: a minute or two of work on a CPU."""
SAID = 30
"""Seconds between lines of the log that say how far the work is."""
NAMED = 5
"""Inputs that the log names of those that can't be used for one reason."""


def compute_vectors(
    store: Store,
    of: VectorsOf,
    model: str,
    engine: Engine,
    batch: int,
    progress: Callable[[int, int], None],
    architecture: str | None = None,
) -> Vectors:
    """Encode the pictures or texts of all articles of `store` with `model` (see `load_encoder`), and store the vectors.

    `progress` is called with (articles done, articles in all). A kill leaves the data set unchanged, and the same
    command continues after the last finished part. Raises DataError where there is nothing to encode.
    """
    inputs = inputs_of(store, of)
    encoder = load_encoder(model, of, engine, architecture)
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
    report = _Report(len(inputs.ids), progress)
    with needing_room(work):
        for start in range(0, len(inputs.ids), PART):
            ids = inputs.ids[start : start + PART]
            file = work / f"{start:09}.parquet"
            part = _finished(file)
            if part is None:
                part = _encode_part(ids, inputs, encoder, batch, report)
                draft = file.with_name(f"{UNFINISHED}{file.name}")
                part.write_parquet(draft)
                os.replace(draft, file)
            else:
                report.found(len(ids))
            parts.append(part)
    read = [part.filter(pl.col("unread").is_null()).drop("unread") for part in parts]
    found = pl.concat([part for part in read if part.height] or read[:1])
    _name_unread(inputs, pl.concat([part.select("article_id", "unread").drop_nulls() for part in parts]))
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


class _Report:
    """Says how far the work is: to `progress` after every batch, and now and then to the log."""

    def __init__(self, total: int, progress: Callable[[int, int], None]) -> None:
        self._done, self._encoded, self._total, self._progress = 0, 0, total, progress
        self._began = self._said = time.monotonic()

    def found(self, number: int) -> None:
        """Count what an earlier attempt has encoded."""
        self._done += number
        self._progress(self._done, self._total)

    def encoded(self, number: int) -> None:
        """Count what was encoded now."""
        self._encoded += number
        self.found(number)
        now = time.monotonic()
        if now - self._said >= SAID and self._done < self._total:
            self._said, seconds = now, now - self._began
            left = seconds / self._encoded * (self._total - self._done)
            log.info("encoded %d of %d, %.0f s, about %.0f s left", self._done, self._total, seconds, left)


def _encode_part(ids: list[str], inputs: ArticleInputs, encoder: Encoder, batch: int, report: _Report) -> pl.DataFrame:
    """Encode the inputs of `ids`: a table (article_id, vector, and in its place why the input is `unread`)."""
    kept, encoded, unread = list[str](), list[Any](), dict[str, str]()
    for some, read in _read_ahead([ids[start : start + batch] for start in range(0, len(ids), batch)], inputs):
        there = list[Input]()
        for each, what in zip(some, read, strict=True):
            if isinstance(what, Unread):
                unread[each] = what.why
            else:
                kept.append(each)
                there.append(what)
        if there:
            encoded.append(encoder(there))
        report.encoded(len(some))
    vectors = np.concatenate(encoded) if encoded else np.empty((0, 1), np.float32)
    rows = pl.Series("vector", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))
    found = pl.DataFrame({"article_id": pl.Series(kept, dtype=pl.String), "vector": rows})
    others = pl.DataFrame(
        {"article_id": unread.keys(), "unread": unread.values()}, schema=dict.fromkeys(UNREAD, pl.String)
    )
    return pl.concat([found, others], how="diagonal")


def _read_ahead(batches: list[list[str]], inputs: ArticleInputs) -> Iterator[tuple[list[str], list[Input | Unread]]]:
    """Yield each batch of ids with what it reads as; the next one is read while the caller encodes this one."""
    with ThreadPoolExecutor(1) as reader:
        coming = deque[tuple[list[str], Future[list[Input | Unread]]]]()
        for ids in batches:
            coming.append((ids, reader.submit(inputs.read, ids)))
            if len(coming) > 1:
                some, read = coming.popleft()
                yield some, read.result()
        for some, read in coming:
            yield some, read.result()


def _name_unread(inputs: ArticleInputs, unread: pl.DataFrame) -> None:
    """Warn of each reason why inputs of `unread` (article_id, unread) can't be used, and name some of them."""
    for (why,), rows in unread.sort("unread", "article_id").group_by("unread", maintain_order=True):
        named = first_few(map(inputs.place_of, rows["article_id"].head(NAMED)), rows.height)
        log.warning(
            "%d of %d files left out, whose articles have no vector, as each is %s: %s",
            *(rows.height, len(inputs.ids), why, named),
        )


def _finished(file: Path) -> pl.DataFrame | None:
    """Read a part of an earlier attempt; None if there is none, or a power cut damaged it."""
    try:
        return read_table(file)
    except DAMAGE:
        return None
