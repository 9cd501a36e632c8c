"""Work in a process of its own: what it leaves in memory is gone afterwards, and what others left isn't there."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

T = TypeVar("T")


def alone(work: Callable[..., T], *given: Any) -> T:
    """Call `work(*given)` in a fresh process, and return its result.

    Everything is pickled, so `work` is a module's function, a `partial` of one, or a method of a picklable object.
    """
    # Spawned: a fork would start with all of our memory, and with locks that nobody will release.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *given).result()
