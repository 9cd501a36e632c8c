"""The order of batches, which a seed decides alone, and an end of each epoch that can't be missed."""

import functools
import queue
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

_of_this_thread = threading.local()  # `rows`: what shuffles the rows of the Loader that this thread reads for


def shuffle_indices(self: Any) -> None:
    """For `LoaderBase._shuffle_indices`: draws the order of partitions, and what rows will be shuffled with.

    Merlin draws both from the global generator, the rows in a thread of its own, so that they depended on when the
    training loop drew; on a GPU rows came from a fresh generator that no seed reaches. One draw from the global
    generator, here in the caller's thread, decides all: `np.random.seed` and `seed_everything` reproduce every epoch,
    and epochs differ. A `seed_fn` is asked instead where there is one.
    """
    seed = int(self.seed_fn() if self.seed_fn else np.random.randint(2**31))
    self.indices = np.random.RandomState(seed).permutation(len(self.indices))
    self.rows_by_hmgpu = np.random.RandomState([seed, self.global_rank, 1])


def load_chunks(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `ChunkQueue.load_chunks`, which runs in a thread for each epoch.

    Merlin notes the order of partitions when the queue is made, before the first epoch has shuffled it, and never
    looks again: partitions came in one order for ever. Here each epoch takes the order that was drawn for it.
    """

    @functools.wraps(original)
    def replacement(self: Any, dev: Any) -> Any:
        self.itr.indices = self.dataloader._indices_for_process()
        _of_this_thread.rows = getattr(self.dataloader, "rows_by_hmgpu", None)
        return original(self, dev)

    return replacement


def get(self: Any) -> Any:
    """For `ChunkQueue.get`, which waits for ever if the reading thread ends between a look at it and the call."""
    while True:
        try:
            return self.q_out.get(timeout=0.05)
        except queue.Empty:
            if not self.dataloader._working and self.q_out.empty():
                raise StopIteration from None


def shuffle_df(df: Any, size: int | None = None, keep_index: bool = False) -> Any:
    """For `shuffle_df`: with the Loader's generator in its thread, else the global one.

    Both are NumPy's, for cuDF too: so the order is the same on either engine.
    """
    rows = getattr(_of_this_thread, "rows", None)
    if rows is None:
        rows = np.random.RandomState(np.random.randint(2**31))
    return df.sample(n=size or len(df), ignore_index=not keep_index, random_state=rows)
