"""What a person sees while hmgpu works: log lines, progress bars, and the same log as JSON lines in the run."""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# Where there is no terminal (a file, CI) rich would fold every line at 80 characters. Names of files and columns are
# shown, and what stands in square brackets in them is no markup.
console = Console(width=None if sys.stdout.isatty() else 140, markup=False)
T = TypeVar("T")


def start_logging() -> None:
    """Sends hmgpu's log to the terminal: what was done. The run's log file also tells what was begun."""
    handler = RichHandler(logging.INFO, console, show_path=False, show_level=False, log_time_format="%H:%M:%S")
    logger = logging.getLogger("hmgpu")
    logger.setLevel(logging.DEBUG)
    logger.handlers = [handler]


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Also appends hmgpu's log to `path`, one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _RunLog(path, encoding="utf-8")
    handler.setFormatter(_JsonLines())
    logger = logging.getLogger("hmgpu")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        with suppress(OSError):
            handler.close()


class _RunLog(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """A line that a full disk didn't take is lost: what it tells of goes on, and says itself what it lacks."""


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": self.formatTime(record), "level": record.levelname, "from": record.name}
        return json.dumps(entry | {"message": record.getMessage()}, ensure_ascii=False)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def tracked(items: Iterable[T], what: str, total: int) -> Iterable[T]:
    """`items`, with a progress bar while they are gone through."""
    with _bar() as bar:
        yield from bar.track(items, total, description=what)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar as a function of (done, total)."""
    with _bar() as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
