"""Lock files that let one process in at a time, and whose lock ends with its process, however it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hmgpu.core.errors import BusyError


@contextmanager
def held(file: Path, busy: Callable[[], str], keep: bool = False, wait: bool = False) -> Iterator[None]:
    """Hold the lock `file` while the block runs, so that no other process enters it.

    Args:
        file: the lock file, in a folder that exists.
        busy: the error's message where another process holds the lock.
        keep: whether the file stays after the block.
        wait: whether to wait until the other process has ended rather than to raise.

    Raises BusyError at once where another process holds the lock, and OSError where the file can't be written.
    """
    from filelock import FileLock, Timeout

    # No fallback for systems without `flock`: there the file's existence would be the lock, and would outlive a kill.
    lock = FileLock(file, timeout=-1 if wait else 0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(busy()) from None
    try:
        yield
    finally:
        if not keep:
            with suppress(OSError):  # before the release: a process that has opened it meanwhile sees that it is gone
                file.unlink()
        lock.release()
