"""The log of a run: what hmgpu did, as JSON lines: time (UTC), level, from, message.

A step's lines also have step, seconds, peak_gib and what it counted, such as rows; on the GPU also to_device_bytes and
to_host_bytes, see `copies`; or that it was reused.
"""

import datetime
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FIELDS = "fields"
"""Key of `extra` under which a log record holds what its line has as fields of their own."""


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
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        entry = {"time": at, "level": record.levelname, "from": record.name, "message": record.getMessage()}
        return json.dumps(entry | getattr(record, FIELDS, {}), ensure_ascii=False)
