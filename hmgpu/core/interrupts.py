"""Handle Ctrl-C, SIGTERM and the end of a terminal, also while a library's C code calls Python.

Python raises them as exceptions wherever it happens to be. In a callback from C they go no further: ctypes prints the
exception and C carries on with the callback's answer, such as "no more rows", and fits a model to half of the data.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED = frozenset(128 + number for number in STOPS)
"""The exit statuses of a process that was stopped from outside."""


def exit_on_signals() -> None:
    """Let Ctrl-C, SIGTERM and the end of the terminal end the process, cleaning up unfinished work; status in STOPPED.

    Not as KeyboardInterrupt, which libraries catch: Lightning ends the process itself. A signal that is ignored, as
    SIGHUP is under nohup, stays so.
    """
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


@contextmanager
def interrupts_held() -> Iterator[Callable[[], bool]]:
    """Hold these signals back until the end of the block, where they take effect.

    Yields a function that says whether one has arrived, so that callbacks from C can stop early.
    """
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in STOPS}
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
