"""One at a time among the runs: a lock that says who has it and since when, and goes with its process."""

import datetime
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from hmgpu.core.errors import RunError
from hmgpu.core.lock import held

LOCK = ".retrain.lock"


@contextmanager
def exclusively(runs: Path) -> Iterator[None]:
    """Keeps others from changing which runs there are in `runs`. The lock goes with the process, however it ends.

    Raises BusyError, which names the other's process, machine and age, when another has it.
    """
    file = runs / LOCK
    busy = f"is changing {runs}: wait until it has ended, or stop it."
    with ExitStack() as stack:
        try:
            runs.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(file, lambda: f"{_owner(file)} {busy}", keep=True))
        except OSError as error:
            raise RunError(f"{runs} can't be written ({error.strerror}): `runs` must name a folder of yours.") from None
        owner = {"process": os.getpid(), "machine": socket.gethostname(), "since": time.time()}
        with suppress(OSError):  # who has it is good to know, and a full disk must not stop a rollback
            file.write_text(json.dumps(owner))
        try:
            yield
        finally:
            with suppress(OSError):
                file.write_text("")


def _owner(file: Path) -> str:
    try:
        owner = json.loads(file.read_text())
        since = datetime.datetime.fromtimestamp(owner["since"], datetime.UTC)
        # A clock that was put back since must not make an age of less than nothing.
        minutes = max(0, time.time() - owner["since"]) / 60
        return (
            f"Process {owner['process']} on {owner['machine']}, since {since:%Y-%m-%d %H:%M} UTC ({minutes:.0f} min),"
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "Another process"
