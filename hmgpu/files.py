"""Whole files: their hash, and writing them whole or not at all."""

import errno
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

UNFINISHED = ".unfinished-"


def sha256(file: Path) -> str:
    """Hash of a file's bytes, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text whole or not at all: into a file beside `path`, then renamed over it."""
    draft = path.with_name(f"{UNFINISHED}{path.name}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        error.filename = str(path)  # what the caller knows
        raise


def disk_is_full(error: Exception) -> bool:
    """Whether `error` came of a lack of room.

    Libraries wrap the system's error in ones of their own; what is left is its text.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return os.strerror(errno.ENOSPC).lower() in str(error).lower()
