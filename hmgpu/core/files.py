"""Whole files: their hash, and writing them whole or not at all."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hmgpu.core.errors import DiskError

UNFINISHED = ".unfinished-"


def sha256(file: Path) -> str:
    """Hash of a file's bytes, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_vacant(folder: Path) -> bool:
    """Whether `folder` is not there, or a folder with nothing in it, such as a mount that nobody has filled."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def hashes(folder: Path) -> dict[str, str]:
    """The hash of every file below `folder`, by its path in it."""
    return {str(file.relative_to(folder)): sha256(file) for file in sorted(folder.rglob("*")) if file.is_file()}


def digest_of(content: Any) -> str:
    """Hash of what JSON can hold; the order of keys doesn't matter. Of `hashes` it is the digest of a step."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def swap_link(link: Path, target: Path | str, draft: Path) -> None:
    """Makes `link` lead to `target` in one move, by way of the link `draft` beside it."""
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    os.replace(draft, link)


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text whole or not at all: into a file beside `path`, then renamed over it."""
    draft = path.with_name(f"{UNFINISHED}{path.name}")
    try:
        with needing_room(path.parent):
            draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except BaseException as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)  # half of it takes room that may be what is lacking
        if isinstance(error, OSError):
            error.filename = str(path)  # what the caller knows
        raise


@contextmanager
def needing_room(folder: Path) -> Iterator[None]:
    """Raises DiskError where what is done within fails because the disk of `folder` is full."""
    try:
        yield
    except Exception as error:
        if not disk_is_full(error):
            raise
        raise DiskError(
            f"The disk of {folder} is full: make room and run the command again; it goes on after the last finished "
            "step."
        ) from None


def disk_is_full(error: Exception) -> bool:
    """Whether `error` came of a lack of room.

    Libraries wrap the system's error in ones of their own; what is left is its text.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return os.strerror(errno.ENOSPC).lower() in str(error).lower()
