"""One process at a time: a lock file whose lock goes with its process, however it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from hmgpu.core.errors import BusyError


@contextmanager
def held(file: Path, busy: Callable[[], str], keep: bool = False) -> Iterator[None]:
    """Keeps other processes out of the block.

    Args:
        file: the lock file, in a folder that exists.
        busy: what to tell where another process has the lock.
        keep: whether the file stays after the block.

    Raises BusyError at once where another process has the lock, and OSError where the file can't be written.
    """
    # Without `flock` nothing would hold, and a lock that a file's existence stands for would outlive a kill.
    lock = FileLock(file, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(busy()) from None
    try:
        yield
    finally:
        if not keep:
            with suppress(OSError):  # while it is held: whoever has opened it meanwhile notices that it is gone
                file.unlink()
        lock.release()
