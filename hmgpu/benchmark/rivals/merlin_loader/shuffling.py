"""Shuffle batches in an order that only the seed decides, and end each epoch without a race."""

import functools
import queue
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

_of_this_thread = threading.local()  # `rows`: what shuffles the rows of the Loader that this thread reads for


def shuffle_indices(self: Any) -> None:
    """Replace `LoaderBase._shuffle_indices`: shuffle the partitions, and seed the generator for the rows.

    Merlin uses the global generator for both, for the rows in a thread of its own, so their order depended on when the
    training loop used it too; on a GPU rows came from a fresh generator that no seed reaches. Here one number from the
    global generator, taken in the caller's thread, decides both: `np.random.seed` and `seed_everything` reproduce every
    epoch, and epochs differ. Where there is a `seed_fn`, it gives this number instead.
    """
    seed = int(self.seed_fn() if self.seed_fn else np.random.randint(2**31))
    self.indices = np.random.RandomState(seed).permutation(len(self.indices))
    self.rows_by_hmgpu = np.random.RandomState([seed, self.global_rank, 1])


def load_chunks(original: Callable[..., Any]) -> Callable[..., Any]:
    """Replace `ChunkQueue.load_chunks`, which runs in a thread for each epoch.

    Merlin reads the order of partitions when the queue is built, before the first epoch has shuffled it, and never
    again, so every epoch had the same order. Here each epoch takes the order that was shuffled for it.
    """

    @functools.wraps(original)
    def replacement(self: Any, dev: Any) -> Any:
        self.itr.indices = self.dataloader._indices_for_process()
        _of_this_thread.rows = getattr(self.dataloader, "rows_by_hmgpu", None)
        return original(self, dev)

    return replacement


def get(self: Any) -> Any:
    """Replace `ChunkQueue.get`, which waits for ever if the reading thread ends between a check of it and the call."""
    while True:
        try:
            return self.q_out.get(timeout=0.05)
        except queue.Empty:
            if not self.dataloader._working and self.q_out.empty():
                raise StopIteration from None


def shuffle_df(df: Any, size: int | None = None, keep_index: bool = False) -> Any:
    """Replace `shuffle_df`: shuffle by the Loader's generator in its thread, elsewhere by the global one.

    Both are NumPy's, for cuDF too, so the order is the same on either engine.
    """
    rows = getattr(_of_this_thread, "rows", None)
    if rows is None:
        rows = np.random.RandomState(np.random.randint(2**31))
    return df.sample(n=size or len(df), ignore_index=not keep_index, random_state=rows)
