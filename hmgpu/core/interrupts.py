"""Ctrl-C and SIGTERM while a library's C code calls Python.

Both are exceptions raised wherever Python happens to be. Raised in a function that C called, they go no further: ctypes
prints them and C goes on with what it got, such as "there are no more rows", and fits a model to half of the data.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def exit_on_sigterm() -> None:
    """SIGTERM ends the process as Ctrl-C does, clearing away what is under way; exit status 143."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


@contextmanager
def interrupts_held() -> Iterator[Callable[[], bool]]:
    """Holds Ctrl-C and SIGTERM back until the block is left, where they then take effect.

    Gives a function that tells whether one has come, so that what is called from C can end early.
    """
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # Where they end the process at once nothing is swallowed, and Python runs handlers in its main thread alone.
    main = threading.current_thread() is threading.main_thread()
    held = {number: handler for number, handler in handlers.items() if main and callable(handler)}
    for number in held:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
