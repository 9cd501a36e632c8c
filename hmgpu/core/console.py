"""The terminal: what a verb was asked for goes to stdout; log lines, progress and problems go to stderr.

Neither may end a run: signs that a terminal can't write are written otherwise, and a log that nobody reads any more is
not written.
"""

import codecs
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console

WIDE = 140  # characters a line, where nobody says how many fit
PIPE_CLOSED = 141  # 128 and SIGPIPE, as of any program whose reader has gone
OTHERWISE = {"→": "->", "–": "-", "—": "-", "…": "...", "×": "x", "≥": ">=", "≤": "<=", "✓": "ok", "✗": "no", "·": "-"}


class Stream(Console):
    """One of the two streams, as rich writes to it."""

    def print(self, *objects: Any, **options: Any) -> None:
        with _named(not self.stderr):
            super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        """Go on without a reader of the log; end, without a word, where nobody reads the results."""
        self.quiet = True
        _to_nowhere(self.file)
        if not self.stderr:
            raise SystemExit(PIPE_CLOSED)


def _is_terminal(stream: object) -> bool:
    return isinstance(stream, io.TextIOBase) and stream.isatty()


def _width(stream: object) -> int | None:
    """Characters a line; None: those of the terminal, or what the variable COLUMNS says.

    Without either (a file, CI) rich would wrap every line at 80 characters.
    """
    return None if _is_terminal(stream) or os.environ.get("COLUMNS", "").isdigit() else WIDE


# Markup is off because names of files and columns may contain square brackets.
console = Stream(width=_width(sys.stdout), markup=False)
messages = Stream(width=_width(sys.stderr), markup=False, stderr=True)


def ready_streams() -> None:
    """Let nothing that is written to stdout or stderr fail because of its signs; stand in for streams that are closed.

    A file that is opened while stdout is closed would become stdout, and libraries would print into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the smallest number that is free, which is this one
    codecs.register_error("hmgpu", _otherwise)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="hmgpu")


def end_streams() -> None:
    """Write what is left to write. Raises OSError where it can't be written; then nothing is left, either."""
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            _to_nowhere(stream)
        except OSError:
            _to_nowhere(stream)
            if stream is sys.stdout:
                with _named():
                    raise


def write_data(text: str) -> None:
    """Write CSV or JSON to stdout, in UTF-8 as a file would have it, whatever the terminal's encoding is."""
    if sys.stdout is None:
        return
    try:
        with _named():
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.flush()
                sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
            else:
                sys.stdout.write(text)
            sys.stdout.flush()
    except BrokenPipeError:
        console.on_broken_pipe()


def complain(problem: str) -> None:
    """Write an error to stderr."""
    with suppress(OSError):
        messages.print(f"Error: {problem}", style="red", highlight=False, soft_wrap=True)


def start_logging() -> None:
    """Send hmgpu's log to stderr, from INFO (what was done); the run's log file also has DEBUG (what began)."""
    logger = logging.getLogger("hmgpu")
    logger.setLevel(logging.DEBUG)
    logger.handlers = [_Terminal(logging.INFO)]


def log_level(quiet: bool, verbose: bool) -> None:
    """Choose what goes to stderr: warnings alone, what was done, or also what began; errors always."""
    for handler in logging.getLogger("hmgpu").handlers:
        if isinstance(handler, _Terminal):
            handler.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)


def shows_progress() -> bool:
    """Return whether anybody sees bars: on a terminal, unless only warnings are wanted."""
    handlers = (each for each in logging.getLogger("hmgpu").handlers if isinstance(each, _Terminal))
    return messages.is_terminal and all(each.level < logging.WARNING for each in handlers)


class _Terminal(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line above the progress; where that can't be, the work goes on without."""
        style = "yellow" if record.levelno >= logging.WARNING else ""
        try:
            messages.print(self.format(record), style=style, highlight=False, soft_wrap=True)
        except OSError:
            messages.quiet = True


@contextmanager
def _named(is_stdout: bool = True) -> Iterator[None]:
    """Let an error of writing to stdout name it, as errors of files do."""
    try:
        yield
    except OSError as error:
        if is_stdout and not error.filename:
            error.filename = "standard output"
        raise


def _otherwise(error: UnicodeError) -> tuple[str, int]:
    """Write signs that an encoding lacks by signs that it has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(
        OTHERWISE.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs
    ), error.end


def _to_nowhere(stream: object) -> None:
    """Lead `stream` to where everything can be written, so that Python's last flush doesn't fail, too."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
        os.close(nowhere)
