"""One at a time among the runs: a lock that says who has it and since when, and goes with its process."""

import datetime
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hmgpu.core.errors import BusyError, RunError

LOCK = ".retrain.lock"


@contextmanager
def exclusively(runs: Path) -> Iterator[None]:
    """Keeps others from changing which runs there are in `runs`. The lock goes with the process, however it ends.

    Raises BusyError, which names the other's process, machine and age, when another has it.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        file = (runs / LOCK).open("ab+", buffering=0)
    except OSError as error:
        raise RunError(f"{runs} can't be written ({error.strerror}): `runs` must name a folder of yours.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(f"{_owner(file)} is changing {runs}: wait until it has ended, or stop it.") from None
        owner = {"process": os.getpid(), "machine": socket.gethostname(), "since": time.time()}
        with suppress(OSError):  # who has it is good to know, and a full disk must not stop a rollback
            file.truncate(0)
            file.write(json.dumps(owner).encode())
        try:
            yield
        finally:
            with suppress(OSError):
                file.truncate(0)


def _owner(file: IO[bytes]) -> str:
    file.seek(0)
    try:
        owner = json.loads(file.read())
        since = datetime.datetime.fromtimestamp(owner["since"], datetime.UTC)
        # A clock that was put back since must not make an age of less than nothing.
        minutes = max(0, time.time() - owner["since"]) / 60
        return (
            f"Process {owner['process']} on {owner['machine']}, since {since:%Y-%m-%d %H:%M} UTC ({minutes:.0f} min),"
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        return "Another process"
