"""Handle Ctrl-C and SIGTERM while a library's C code calls Python.

Python raises both as exceptions wherever it happens to be. In a callback from C they go no further: ctypes prints the
exception and C carries on with the callback's answer, such as "no more rows", and fits a model to half of the data.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def exit_on_sigterm() -> None:
    """Let SIGTERM end the process as Ctrl-C does, cleaning up unfinished work; exit status 143."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


@contextmanager
def interrupts_held() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C and SIGTERM back until the end of the block, where they take effect.

    Yields a function that says whether one has arrived, so that callbacks from C can stop early.
    """
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # A signal without a Python handler ends the process at once, so it can't be swallowed; and Python sets and runs
    # handlers in the main thread only.
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
