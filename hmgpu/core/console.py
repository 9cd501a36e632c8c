"""Log lines and progress bars on the terminal, and the same log as JSON lines in the run."""

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

# Without a terminal (a file, CI) rich would wrap every line at 80 characters. Markup is off because names of files and
# columns may contain square brackets.
console = Console(width=None if sys.stdout.isatty() else 140, markup=False)
T = TypeVar("T")


def start_logging() -> None:
    """Send hmgpu's log to the terminal, from INFO (what was done); the run's log file also has DEBUG (what began)."""
    handler = RichHandler(logging.INFO, console, show_path=False, show_level=False, log_time_format="%H:%M:%S")
    logger = logging.getLogger("hmgpu")
    logger.setLevel(logging.DEBUG)
    logger.handlers = [handler]


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Also append hmgpu's log to `path`, one JSON object a line, while the block runs."""
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
        """Drop a line that a full disk didn't take: the work itself goes on and reports the full disk if it matters."""


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": self.formatTime(record), "level": record.levelname, "from": record.name}
        return json.dumps(entry | {"message": record.getMessage()}, ensure_ascii=False)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def tracked(items: Iterable[T], what: str, total: int) -> Iterable[T]:
    """Iterate over `items`, showing a progress bar labelled `what`."""
    with _bar() as bar:
        yield from bar.track(items, total, description=what)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar labelled `what`; yields the function of (done, total) that advances it."""
    with _bar() as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
