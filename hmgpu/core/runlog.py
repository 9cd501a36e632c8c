"""The log of a run: what hmgpu did, as JSON lines."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
