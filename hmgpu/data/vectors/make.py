"""The two ways to vectors: an encoder makes them, or a file has them."""

from collections.abc import Callable
from pathlib import Path

from hmgpu.core.engine import Engine
from hmgpu.data.choices import VectorsOf
from hmgpu.data.manifest import Vectors
from hmgpu.data.store import Store
from hmgpu.data.vectors.encode import encode, working_in
from hmgpu.data.vectors.encoder import Encoder
from hmgpu.data.vectors.given import read_given
from hmgpu.data.vectors.inputs import inputs_of
from hmgpu.data.vectors.keep import keep


def make(
    store: Store, of: VectorsOf, model: str, engine: Engine, batch: int, progress: Callable[[int, int], None]
) -> Vectors:
    """Encodes what every article of `store` has of it by `model` (see `Encoder`), and keeps the vectors.

    `progress` hears (articles done, articles in all). Killed anywhere, the same command goes on after the last finished
    part, and the data set is what it was. Raises DataError where there is nothing to encode.
    """
    inputs = inputs_of(store, of)
    encoder = Encoder(model, of, engine)
    with working_in(store.root, of, inputs, encoder, batch) as work:
        ids, vectors = encode(inputs, encoder, batch, work, progress)
        return keep(store.root, of, ids, vectors, f"model {encoder.label}")


def take(store: Store, of: VectorsOf, file: Path) -> Vectors:
    """Keeps the vectors of `file`. Raises DataError, with nothing changed, where it is not as `given.py` says."""
    ids, vectors = read_given(file, store.article_ids().collect()["article_id"])
    name = file.name.encode(errors="backslashreplace").decode()  # a file's name may be bytes that are no text
    return keep(store.root, of, ids, vectors, f"file {name}")
