"""Let one process at a time change which runs there are: a lock that tells who holds it, and ends with its process."""

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
def exclusively(runs: Path, create: bool = False) -> Iterator[None]:
    """Keep others from changing which runs there are in `runs`. The lock ends with the process, however that ends.

    Args:
        create: whether the folder is created where there is none; else that is a RunError.

    Raises BusyError where another process holds it, with that process, its machine and since when.
    """
    file = runs / LOCK
    busy = f"is changing {runs}: wait until it has ended, or stop it."
    with ExitStack() as stack:
        if not create and not runs.exists():
            raise RunError(f"There is no folder {runs}: name the folder of the runs, `runs` in the config.")
        try:
            if create:
                runs.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(file, lambda: f"{_owner(file)} {busy}", keep=True))
        except OSError as error:
            raise RunError(
                f"{runs} can't be written ({error.strerror}): `runs` must name a folder that you may write to."
            ) from None
        owner = {"process": os.getpid(), "machine": socket.gethostname(), "since": time.time()}
        with suppress(OSError):  # who holds it is only good to know, and a full disk must not stop a rollback
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
        # A clock that was set back since must not give a negative age.
        minutes = max(0, time.time() - owner["since"]) / 60
        return (
            f"Process {owner['process']} on {owner['machine']}, since {since:%Y-%m-%d %H:%M} UTC ({minutes:.0f} min),"
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "Another process"
